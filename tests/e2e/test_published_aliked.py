"""ALIKED and LightGlue, exported, against the published implementation on real pairs of several sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

import networks
from enginewright.config.choices import Exporter, Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import ExportConfig
from enginewright.weights.state import adapt
from enginewright.weights.store import write_checkpoint
from stages import export
from tests.e2e.published import assert_the_same, by_the_graphs, by_the_published, pair_at, session_of
from tests.models import lightglue_model
from tests.networks.published_aliked import aliked_model, published_aliked
from tests.networks.real import import_published

KEYPOINTS = 1024


def graph_of(model: ModelConfig, file: str, exporter: Exporter, folder: Path) -> onnxruntime.InferenceSession:
    """Return a network with its published weights as the export stage writes it."""
    adapter = networks.load(model.adapter)
    state = adapt(import_published().state(file), adapter.rename, adapter.module(model))
    checkpoint = folder / f"{file}.safetensors"
    write_checkpoint(checkpoint, state)
    return session_of(export.run(model, Form.native, ExportConfig(exporter, 20), checkpoint))


@pytest.fixture(scope="module")
def lightglue(tmp_path_factory: pytest.TempPathFactory) -> onnxruntime.InferenceSession:
    """Return LightGlue for ALIKED, which serves every image size and both models."""
    model = lightglue_model(keypoints=KEYPOINTS, input_dim=128)
    return graph_of(model, "aliked_lightglue.pth", Exporter.torchscript, tmp_path_factory.mktemp("lightglue"))


@pytest.fixture(scope="module")
def original_lightglue() -> Any:
    """Return the published LightGlue for ALIKED at full depth and width."""
    return import_published().lightglue(features="aliked", depth_confidence=-1, width_confidence=-1).eval()


CASES = [
    (16, 512, 512, Exporter.dynamo, {"motorcycle": 300, "chelsea.png": 50}),
    (16, 480, 640, Exporter.torchscript, {"motorcycle": 300, "rocket.jpg": 50}),
    (16, 768, 1024, Exporter.torchscript, {"motorcycle": 300, "coffee.png": 50}),
    (32, 480, 640, Exporter.torchscript, {"motorcycle": 300}),
]
"""Positions, height, width, exporter, and for each pair the fewest matches."""


@pytest.mark.parametrize(("samples", "height", "width", "exporter", "pairs"), CASES)
def test_every_match_is_the_published_one(  # noqa: PLR0913, PLR0917 (a case and two fixtures)
    samples: int,
    height: int,
    width: int,
    exporter: Exporter,
    pairs: dict[str, int],
    lightglue: onnxruntime.InferenceSession,
    original_lightglue: Any,
    tmp_path: Path,
) -> None:
    model = aliked_model(samples, height=height, width=width, keypoints=KEYPOINTS)
    ours = graph_of(model, f"aliked-n{samples}.pth", exporter, tmp_path)
    theirs = published_aliked(samples, max_num_keypoints=KEYPOINTS)
    for name, least in pairs.items():
        images = pair_at(name, height, width)
        assert_the_same(
            by_the_published(theirs, original_lightglue, images), by_the_graphs(ours, lightglue, images), least
        )
