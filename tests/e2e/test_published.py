"""Every artifact of the main job against the published implementation, on pairs that the pipeline never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from enginewright.matching.normalise import interleave, normalise_keypoints
from tests.e2e.workspace import Workspace
from tests.networks.real import SIDE, import_published, low_texture, photograph, turned

Matches = set[tuple[float, ...]]
"""Each match as (x0, y0, x1, y1) in pixels."""

UNSEEN = ("chelsea.png", "rocket.jpg", "hubble_deep_field.jpg", "low texture")
"""Photographs that no default pair shows, each matched with itself turned; the last has fewer than K maxima."""


@pytest.fixture(scope="module")
def published() -> tuple[Any, Any]:
    """Return the published extractor and matcher, adaptive depth and width off."""
    classes = import_published()
    extractor = classes.disk(max_num_keypoints=1024).eval()
    return extractor, classes.lightglue(features="disk", depth_confidence=-1, width_confidence=-1).eval()


def originals(models: tuple[Any, Any], images: tuple[Tensor, Tensor]) -> Matches:
    """Return the published implementation's matches."""
    size = torch.tensor([[SIDE, SIDE]])
    with torch.no_grad():
        sides = [{**models[0]({"image": image}), "image_size": size} for image in images]
        found = models[1]({"image0": sides[0], "image1": sides[1]})["matches"][0].numpy()
    first, second = (side["keypoints"][0].numpy() for side in sides)
    return {(*first[i].tolist(), *second[j].tolist()) for i, j in found}


def matched(space: Workspace, artifact: str, images: tuple[Tensor, Tensor]) -> Matches:
    """Return the matches of an artifact's two graphs, run as a user of the graph contract runs them."""
    extractor, matcher = (
        onnxruntime.InferenceSession(space.path / f"weights/{name}/{artifact}.onnx", providers=["CPUExecutionProvider"])
        for name in ("disk", "disk_lightglue")
    )
    rows = [extractor.run(["keypoints", "descriptors"], {"image": image.numpy()}) for image in images]
    placed = [normalise_keypoints(row[0], SIDE, SIDE) for row in rows]
    feeds = {"keypoints": interleave(*placed), "descriptors": interleave(*(row[1] for row in rows))}
    index = matcher.run(["matches"], feeds)[0][0]
    kept = np.flatnonzero(index >= 0)
    return {(*rows[0][0][0][i].tolist(), *rows[1][0][0][index[i]].tolist()) for i in kept}


@pytest.mark.parametrize("name", UNSEEN)
def test_every_artifact_keeps_every_match_of_the_published_implementation(
    built: Workspace, published: tuple[Any, Any], name: str
) -> None:
    image = low_texture() if name == "low texture" else photograph(name)
    images = (image, turned(image))
    wanted = originals(published, images)
    assert len(wanted) > 50
    for artifact in ("exported", "simplified", "typed"):
        assert matched(built, artifact, images) == wanted
