"""Sizes that networks of 8 x 8 cells refuse, each with what they would take."""

from __future__ import annotations

from typing import Any

import pytest

from enginewright.config.models import ExtractorModel
from enginewright.errors import ConfigError
from networks.parts.cell_sizes import check_sizes


def model(**values: Any) -> ExtractorModel:
    return ExtractorModel(**{"adapter": "any", "height": 64, "width": 96, "keypoints": 10, "window": 3, **values})


@pytest.mark.parametrize(("axis", "size", "nearest"), [("height", 60, 64), ("width", 99, 96), ("height", 13, 16)])
def test_an_image_is_made_of_cells(axis: str, size: int, nearest: int) -> None:
    with pytest.raises(ConfigError, match=f"model.{axis}=({nearest})"):
        check_sizes(model(**{axis: size}), border=4)


def test_open_axes_are_made_of_cells_too() -> None:
    with pytest.raises(ConfigError, match=r"model\.ranges\.width"):
        check_sizes(model(ranges={"width": [64, 100]}), border=4)
    check_sizes(model(ranges={"width": [64, 104], "height": [32, 64]}), border=4)


def test_there_are_no_more_keypoints_than_places_for_them() -> None:
    check_sizes(model(height=16, width=24, keypoints=8 * 16), border=4)
    with pytest.raises(ConfigError, match="1 to 128"):
        check_sizes(model(height=16, width=24, keypoints=129), border=4)
    check_sizes(model(height=16, width=24, keypoints=6), border=0, step=8)
    with pytest.raises(ConfigError, match="1 to 6"):
        check_sizes(model(height=16, width=24, keypoints=7), border=0, step=8)


def test_the_smallest_image_of_the_profile_counts() -> None:
    with pytest.raises(ConfigError, match="1 to 64"):
        check_sizes(model(keypoints=65, ranges={"height": [16, 64], "width": [16, 96]}), border=4)


def test_an_image_that_is_all_edge_has_no_place() -> None:
    with pytest.raises(ConfigError, match="1 to 0"):
        check_sizes(model(height=8, keypoints=1), border=4)


@pytest.mark.parametrize("threshold", [-0.1, 1.5])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"model\.threshold"):
        check_sizes(model(threshold=threshold), border=4)
    check_sizes(model(threshold=0.0), border=4)
