"""ALIKED's fp32 islands under the real AutoCast: positions in fp16 lose two thirds of the keypoints."""

from __future__ import annotations

import re

import onnx
import pytest

from enginewright.config.choices import Exporter, Form, Precision
from enginewright.config.sections import CastConfig, ExportConfig
from enginewright.graphs.types import tensor_types
from networks.aliked import POSITIONS
from stages import cast, export
from tests.graphs.small import write
from tests.networks.graphs import engine_bytes
from tests.networks.published_aliked import aliked_model
from tests.stages.tiny_stage import checkpoint_of, reference_of

MODEL = aliked_model(height=64, width=96, keypoints=32)
CASES = [(Exporter.dynamo, 20), (Exporter.torchscript, 17)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0].name} {case[1]}")
def typed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    """Return ALIKED in fp16 as the export and cast stages make it."""
    folder = tmp_path_factory.mktemp("aliked")
    checkpoint = checkpoint_of(MODEL, folder / "checkpoint.safetensors")
    graph = export.run(MODEL, Form.native, ExportConfig(*request.param), checkpoint)
    path = write(folder / "simplified.onnx", graph)
    found, _ = cast.run(CastConfig(Precision.fp16, samples=1), path, reference_of(MODEL, 1))
    return found


def types_by_operator(graph: onnx.ModelProto) -> dict[str, set[int]]:
    """Return for each operator the floating-point types that its nodes take or give."""
    types, found = tensor_types(graph), dict[str, set[int]]()
    for node in graph.graph.node:
        used = {types.get(name, 0) for name in (*node.input, *node.output)}
        found.setdefault(node.op_type, set()).update(used & {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16})
    return found


@pytest.mark.parametrize(
    "operator", ["GridSample", "Softmax", "Sigmoid", "MaxPool", "TopK", "Floor", "ReduceMean", "Sub", "Div", "Add"]
)
def test_what_computes_positions_stays_fp32(typed: onnx.ModelProto, operator: str) -> None:
    assert types_by_operator(typed)[operator] == {onnx.TensorProto.FLOAT}


def test_convolutions_and_activations_become_fp16(typed: onnx.ModelProto) -> None:
    found = types_by_operator(typed)
    assert {onnx.TensorProto.FLOAT16} == found["Conv"] == found["Selu"] == found["MatMul"]


def test_nothing_that_the_island_names_touches_fp16(typed: onnx.ModelProto) -> None:
    types = tensor_types(typed)
    inside = [node for node in typed.graph.node if node.op_type != "Cast" and re.match(POSITIONS, node.name)]
    assert len(inside) > 150
    touched = {
        node.name
        for node in inside
        for name in (*node.input, *node.output)
        if types.get(name) == onnx.TensorProto.FLOAT16
    }
    assert not touched


def test_tensorrt_rtx_builds_it(typed: onnx.ModelProto) -> None:
    assert engine_bytes(typed) > 1_000_000
