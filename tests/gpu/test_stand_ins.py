"""A bfloat16 graph whose operators a provider lacks: computed in float32 between casts, named, and with bf16's values.

The CPU stands for the GPU here: it lacks most operators in bfloat16.
"""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.errors import GraphError, RequirementError
from enginewright.gpu.session import Session
from enginewright.gpu.stand_ins import in_float32, runnable
from enginewright.graphs.provider import CPU
from enginewright.graphs.types import tensor_types
from tests.graphs.small import model_of, value, write

GREATER_MUL = [
    helper.make_node("Cast", ["x"], ["low"], "low", to=TensorProto.BFLOAT16),
    helper.make_node("Mul", ["low", "low"], ["square"], "square"),
    helper.make_node("Greater", ["square", "low"], ["larger"], "larger"),
    helper.make_node("Cast", ["square"], ["y"], "y", to=TensorProto.FLOAT),
    helper.make_node("Cast", ["larger"], ["z"], "z", to=TensorProto.INT32),
]


def graph(nodes: list[onnx.NodeProto], *outputs: onnx.ValueInfoProto) -> onnx.ModelProto:
    return model_of(nodes, [value("x", (3,))], list(outputs), [])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    model = graph(GREATER_MUL, value("y", (3,)), value("z", (3,), TensorProto.INT32))
    return write(tmp_path / "low.onnx", model)


def test_what_is_missing_is_computed_in_float32_and_rounded(path: Path) -> None:
    x = np.array([0.3, 1.7, -2.1], np.float32)
    with runnable(path, CPU) as (found, replaced):
        outputs = Session(found, CPU).run({"x": x})
    low = x.astype(ml_dtypes.bfloat16)
    assert replaced == ["Greater", "Mul"]
    assert outputs["y"].tolist() == (low * low).astype(np.float32).tolist()
    assert outputs["z"].tolist() == (low * low > low).astype(np.int32).tolist()


def test_every_other_tensor_keeps_its_type(path: Path) -> None:
    before = tensor_types(onnx.load(path))
    after = tensor_types(in_float32(onnx.load(path), {"Mul"}))
    assert {name: after[name] for name in before} == before


def test_a_graph_that_loads_is_yielded_as_it_is(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.onnx", graph([helper.make_node("Abs", ["x"], ["y"], "abs")], value("y", (3,))))
    with runnable(whole, CPU) as (found, replaced):
        assert (found, replaced) == (whole, [])


def test_an_operator_that_onnx_defines_as_a_function_is_found_by_what_its_body_lacks(tmp_path: Path) -> None:
    """ONNX Runtime names ReduceMax here, of LogSoftmax's function: the graph has no such node."""
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], "low", to=TensorProto.BFLOAT16),
        helper.make_node("LogSoftmax", ["low"], ["log"], "log"),
        helper.make_node("Cast", ["log"], ["y"], "y", to=TensorProto.FLOAT),
    ]
    path = write(tmp_path / "function.onnx", graph(nodes, value("y", (3,))))
    with runnable(path, CPU) as (found, replaced):
        outputs = Session(found, CPU).run({"x": np.zeros(3, np.float32)})
    assert replaced == ["LogSoftmax"]
    assert outputs["y"].tolist() == [float(np.log(1 / 3).astype(ml_dtypes.bfloat16))] * 3


def test_what_float32_cannot_stand_in_for_is_missing(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], "wide", to=TensorProto.DOUBLE),
        helper.make_node("Erf", ["wide"], ["erf"], "erf"),
        helper.make_node("Cast", ["erf"], ["y"], "y", to=TensorProto.FLOAT),
    ]
    lacking = write(tmp_path / "lacking.onnx", graph(nodes, value("y", (3,))))
    with pytest.raises(RequirementError, match=r"no kernel for Erf of lacking\.onnx"), runnable(lacking, CPU):
        pass


def test_a_graph_that_is_refused_for_another_reason_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    with pytest.raises(GraphError), runnable(broken, CPU):
        pass
