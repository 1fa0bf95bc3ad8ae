"""The sizes of each network: what fits, both ends of every range, and what the message offers instead."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import networks
from enginewright.config.choices import MatcherOutput
from enginewright.config.models import MAX_KEYPOINTS, MODELS, DiskModel, LightGlueModel, ModelConfig, model_class
from enginewright.errors import ConfigError


def refused(cls: type[ModelConfig], **values: Any) -> str:
    """Return the refusal of a model's values."""
    with pytest.raises(ConfigError) as caught:
        cls(**values)
    return str(caught.value)


def test_the_defaults_are_the_sizes_that_the_networks_are_proven_at() -> None:
    disk, matcher = DiskModel(), LightGlueModel()
    assert (disk.height, disk.width, disk.keypoints, disk.window) == (512, 512, 1024, 5)
    assert (matcher.keypoints, matcher.input_dim, matcher.output) == (1024, 128, MatcherOutput.matches)


@pytest.mark.parametrize("batch", [1, 256])
def test_both_ends_of_the_batch(batch: int) -> None:
    assert ModelConfig("any", batch=batch).batch == batch


@pytest.mark.parametrize("batch", [0, 257])
def test_a_batch_outside(batch: int) -> None:
    assert "1 to 256" in refused(ModelConfig, adapter="any", batch=batch)


def test_ranges_are_checked_axis_by_axis() -> None:
    ModelConfig("any", ranges={"batch": [1, 4], "height": [256, 512]})
    text = refused(ModelConfig, adapter="any", ranges={"batch": [1, 4], "height": [512, 256]})
    assert "model.ranges.height is no range" in text


@pytest.mark.parametrize("side", ["height", "width"])
@pytest.mark.parametrize(("value", "nearest"), [(500, 496), (8, 16), (0, 16), (513, 512)])
def test_sides_are_multiples_of_16(side: str, value: int, nearest: int) -> None:
    assert f"set model.{side}={nearest}" in refused(DiskModel, **{side: value})


@pytest.mark.parametrize("window", [1, 4, 65])
def test_a_window_without_a_centre_or_out_of_range(window: int) -> None:
    assert "model.window" in refused(DiskModel, window=window)


def test_k_ends_where_topk_does() -> None:
    assert DiskModel(keypoints=MAX_KEYPOINTS).keypoints == 3840
    assert "1 to 3840" in refused(DiskModel, keypoints=MAX_KEYPOINTS + 1)
    assert "1 to 3840" in refused(DiskModel, keypoints=0)


def test_k_ends_earlier_where_the_image_has_fewer_places() -> None:
    """A 16 x 16 image has 12 x 12 windows of 5 px that lie inside."""
    assert DiskModel(height=16, width=16, keypoints=144).keypoints == 144
    assert "1 to 144" in refused(DiskModel, height=16, width=16, keypoints=145)


@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 31), st.integers(1, 4000))
def test_disk_takes_exactly_what_fits(rows: int, columns: int, half: int, keypoints: int) -> None:
    height, width, window = 16 * rows, 16 * columns, 2 * half + 1
    fits = window <= min(height, width) and keypoints <= min(3840, (height - window + 1) * (width - window + 1))
    try:
        DiskModel(height=height, width=width, window=window, keypoints=keypoints)
    except ConfigError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(("key", "value"), [("filter_threshold", -0.1), ("filter_threshold", 1.1), ("input_dim", 0)])
def test_lightglue_outside_its_ranges(key: str, value: float) -> None:
    assert f"model.{key}" in refused(LightGlueModel, **{key: value})


def test_lightglue_takes_the_ends_of_its_ranges() -> None:
    for threshold in (0.0, 1.0):
        assert LightGlueModel(filter_threshold=threshold).filter_threshold == threshold
    assert "model.keypoints" in refused(LightGlueModel, keypoints=0)


def test_the_base_checks_hold_for_every_model() -> None:
    for cls in (DiskModel, LightGlueModel):
        assert "model.batch" in refused(cls, batch=0)


def test_a_model_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DiskModel().height = 1024  # type: ignore[misc]


@pytest.mark.parametrize("adapter", sorted(MODELS))
def test_each_dataclass_has_an_adapter_that_it_names(adapter: str) -> None:
    assert adapter in networks.names()
    assert model_class(adapter) is MODELS[adapter]
    assert MODELS[adapter].__dataclass_fields__["adapter"].default == adapter


def test_an_adapter_without_a_dataclass_gets_the_general_one() -> None:
    assert model_class("superduper") is ModelConfig


def test_only_networks_with_layernorm_say_so() -> None:
    assert LightGlueModel.has_layernorm
    assert not DiskModel.has_layernorm
    assert "has_layernorm" not in {item.name for item in dataclasses.fields(LightGlueModel)}
