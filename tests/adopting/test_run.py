"""Running a file as it is written."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.adopting.run import run_onnx, unoptimised_session
from enginewright.errors import GraphError
from tests.adopting.files import simple

X = np.arange(12, dtype=np.float32).reshape(4, 1, 3)


def test_outputs_are_stacked_by_sample() -> None:
    found = run_onnx(simple().SerializeToString(), {"x": X}, ["y"], "model.onnx")
    np.testing.assert_allclose(found["y"], np.sin(X), rtol=1e-5)
    assert found["y"].shape == (4, 1, 3)


def test_a_file_that_does_not_load_is_told() -> None:
    model = simple(helper.make_node("nosuch", ["x"], ["y"]))
    with pytest.raises(GraphError, match=r"model\.onnx does not load in ONNX Runtime") as caught:
        run_onnx(model.SerializeToString(), {"x": X}, ["y"], "model.onnx")
    assert "nosuch" in str(caught.value.got)


def test_a_shape_that_the_graph_cannot_take_is_told() -> None:
    weight = numpy_helper.from_array(np.ones((3, 2), np.float32), "w")
    model = simple(helper.make_node("MatMul", ["x", "w"], ["y"]), stored=(weight,), shape=("batch", None))
    with pytest.raises(GraphError, match="does not run in ONNX Runtime") as caught:
        run_onnx(model.SerializeToString(), {"x": np.ones((1, 1, 4), np.float32)}, ["y"], "model.onnx")
    assert caught.value.cure == "check the shapes of model.inputs"


def test_a_shape_that_depends_on_the_data_is_refused() -> None:
    model = simple(helper.make_node("NonZero", ["x"], ["y"]), out=TensorProto.INT64)
    with pytest.raises(GraphError, match=r"the output y of .* has a shape that depends on the data") as caught:
        run_onnx(model.SerializeToString(), {"x": X}, ["y"], "model.onnx")
    assert caught.value.got == [(2, 2), (2, 3)]
    assert "NonZero" in str(caught.value.cure)


@pytest.mark.parametrize("operator", ["Log", "Sqrt"])
def test_nan_and_inf_are_refused(operator: str) -> None:
    model = simple(helper.make_node(operator, ["x"], ["y"]))
    with pytest.raises(GraphError, match="has NaN or Inf") as caught:
        run_onnx(model.SerializeToString(), {"x": X - 1}, ["y"], "model.onnx")
    assert "of 12" in str(caught.value.got)


def test_whole_numbers_are_never_infinite() -> None:
    model = simple(helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT64), out=TensorProto.INT64)
    assert run_onnx(model.SerializeToString(), {"x": X}, ["y"], "model.onnx")["y"].dtype == np.int64


def test_the_runtime_rewrites_nothing() -> None:
    """It would fuse a decomposed LayerNorm by itself."""
    level = unoptimised_session(simple().SerializeToString(), "model.onnx").get_session_options()
    assert level.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


def _endless() -> onnx.ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, ["batch", 3]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, ["batch", 3]),
        ],
    )
    stored = (numpy_helper.from_array(np.array(1 << 62), "trips"), numpy_helper.from_array(np.array(True), "cond"))
    return simple(helper.make_node("Loop", ["trips", "cond", "x"], ["y"], body=body), stored=stored)


def test_a_loop_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enginewright.adopting.run.MOST_SECONDS", 0.3)
    with pytest.raises(GraphError, match=r"loop\.onnx does not come to an end") as caught:
        run_onnx(_endless().SerializeToString(), {"x": X}, ["y"], "loop.onnx")
    assert "within 0.3 s" in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which counts a process's data")
def test_a_graph_that_asks_for_more_memory_than_there_is_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much follows from its input, so that no inference of shapes can tell."""
    monkeypatch.setattr("enginewright.adopting.run.memory_left", lambda: 0)
    stored = tuple(
        numpy_helper.from_array(np.array(value, np.int64), name)
        for name, value in {"zero": 0, "one": 1, "axis": [0]}.items()
    )
    model = simple(
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["many"], to=TensorProto.INT64),
        helper.make_node("Range", ["zero", "many", "one"], ["numbers"]),
        helper.make_node("Cast", ["numbers"], ["reals"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["reals"], ["last"], keepdims=0),
        helper.make_node("Add", ["x", "last"], ["y"]),
        stored=stored,
    )
    assert run_onnx(model.SerializeToString(), {"x": X}, ["y"], "many.onnx")["y"].max() == 21
    with pytest.raises(GraphError, match=r"many\.onnx does not run"):
        run_onnx(model.SerializeToString(), {"x": X * 5e7}, ["y"], "many.onnx")
