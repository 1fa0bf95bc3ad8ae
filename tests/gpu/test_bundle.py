"""A bundle holds each tensor once, and ONNX Runtime runs its graphs as they are."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from enginewright.artifacts import read_json
from enginewright.gpu.bundle import TENSORS, pack
from enginewright.gpu.kept import kept_matches
from enginewright.gpu.session import Session
from enginewright.graphs.provider import CPU
from enginewright.reference import load_reference, save_reference
from tests.gpu.small import matcher, reference, variant


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    variants = tmp_path / "variants"
    variant(variants, "native-fp32", matcher())
    variant(variants, "island-fp32", matcher(offset=1.0))
    variant(variants, "native-fp8")
    save_reference(tmp_path / "reference.npz", reference())
    pack(variants, [("small", tmp_path / "reference.npz")], tmp_path / "bundle")
    return tmp_path / "bundle"


def test_equal_tensors_lie_there_once(bundle: Path) -> None:
    assert (bundle / TENSORS).stat().st_size == 4 * 1024
    model = onnx.load_model(bundle / "small-native-fp32.onnx", load_external_data=False)
    outside = [item.name for item in model.graph.initializer if item.data_location == onnx.TensorProto.EXTERNAL]
    assert outside == ["weights"], "small ones stay where they are"


def test_graphs_run_from_it(bundle: Path) -> None:
    found = load_reference(bundle / "small.npz")
    assert kept_matches(Session(bundle / "small-native-fp32.onnx", CPU), found)["common"] == 6
    assert kept_matches(Session(bundle / "small-island-fp32.onnx", CPU), found)["common"] == 0


def test_a_variant_that_was_refused_goes_along_without_a_graph(bundle: Path) -> None:
    assert read_json(bundle / "small-native-fp8.json")["status"] == "refused"
    assert not (bundle / "small-native-fp8.onnx").exists()
