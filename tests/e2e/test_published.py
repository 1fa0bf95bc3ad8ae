"""Every artifact of the main job against the published implementation, on pairs that the pipeline never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from stages import export
from tests.e2e.published import assert_the_same, by_the_graphs, by_the_published, pair_at, session_of
from tests.e2e.workspace import Workspace
from tests.models import disk_model
from tests.networks.real import SIDE, import_published, low_texture, turned

UNSEEN = ("chelsea.png", "rocket.jpg", "hubble_deep_field.jpg", "low texture")
"""Photographs that no default pair shows, each matched with itself turned; the last has fewer than K maxima."""

SIZES = [((480, 640), "astronaut.png", 50), ((768, 1024), "coffee.png", 100)]
"""Height and width beside the default ones, a pair, and the fewest matches.

The scores of its 1,024th and 1,025th keypoint are 0.01 apart: nearer ones (rocket.jpg, 0.0002) change places where
another processor sums in another order.
"""


@pytest.fixture(scope="module")
def published() -> tuple[Any, Any]:
    """Return the published extractor and matcher, adaptive depth and width off."""
    classes = import_published()
    extractor = classes.disk(max_num_keypoints=1024).eval()
    return extractor, classes.lightglue(features="disk", depth_confidence=-1, width_confidence=-1).eval()


def graph(space: Workspace, network: str, artifact: str) -> Path:
    return space.path / f"weights/{network}/{artifact}.onnx"


@pytest.mark.parametrize("name", UNSEEN)
def test_every_artifact_keeps_every_match_of_the_published_implementation(
    built: Workspace, published: tuple[Any, Any], name: str
) -> None:
    images = (low_texture(), turned(low_texture())) if name == "low texture" else pair_at(name, SIDE, SIDE)
    wanted = by_the_published(*published, images)
    for artifact in ("exported", "simplified", "typed"):
        disk, lightglue = (session_of(graph(built, network, artifact)) for network in ("disk", "disk_lightglue"))
        assert_the_same(wanted, by_the_graphs(disk, lightglue, images), least=51)


@pytest.mark.parametrize(("size", "name", "least"), SIZES)
def test_images_that_are_not_square_keep_every_match_too(
    built: Workspace, published: tuple[Any, Any], size: tuple[int, int], name: str, least: int
) -> None:
    """The extractor is exported anew from the stored checkpoint; the matcher's graph serves every size."""
    model = replace(disk_model(keypoints=1024), height=size[0], width=size[1])
    checkpoint = built.path / "weights" / "disk" / "checkpoint.safetensors"
    extractor = session_of(export.run(model, Form.native, ExportConfig(Exporter.torchscript, 20), checkpoint))
    matcher = session_of(graph(built, "disk_lightglue", "typed"))
    images = pair_at(name, *size)
    assert_the_same(by_the_published(*published, images), by_the_graphs(extractor, matcher, images), least)
