"""A graph run piece by piece computes what it computes whole, and shows everything on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper

from enginewright.errors import GraphError
from enginewright.rehearsing import streaming
from enginewright.rehearsing.streaming import Streamed
from tests.graphs.small import model_of, nested, tensor, value


def chain(length: int) -> onnx.ModelProto:
    """Return y = x + 1 + ... in `length` steps, each read again by the last one."""
    nodes = [helper.make_node("Add", ["x" if not i else f"t{i - 1}", "one"], [f"t{i}"], f"n{i}") for i in range(length)]
    nodes.append(helper.make_node("Concat", ["x", *(f"t{i}" for i in range(length))], ["y"], "all", axis=0))
    return model_of(nodes, [value("x", (1, 4))], [value("y", (length + 1, 4))], [tensor("one", [1.0])])


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.shape_inference.infer_shapes(model)


def shown(model: onnx.ModelProto, x: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    seen: dict[str, NDArray[Any]] = {}
    outputs = Streamed(inferred(model)).run({"x": x}, seen.__setitem__)
    return outputs, seen


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_pieces_of_any_size_compute_the_same(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_NODES_AT_ONCE", at_once)
    x = np.arange(4, dtype=np.float32)[None]
    outputs, seen = shown(chain(10), x)
    np.testing.assert_array_equal(outputs["y"], x + np.arange(11, dtype=np.float32)[:, None])
    assert list(seen) == [*(f"t{i}" for i in range(10)), "y"]
    np.testing.assert_array_equal(seen["t4"], x + 5)


def test_an_8_bit_float_never_leaves_its_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_NODES_AT_ONCE", 1)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], "q"),
        helper.make_node("Relu", ["x"], ["other"], "between"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["low"], "dq"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["again"], "dq2"),
        helper.make_node("Add", ["low", "again"], ["y"], "sum"),
    ]
    zero = helper.make_tensor("zero", onnx.TensorProto.FLOAT8E4M3FN, [], [0.0])
    model = model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], [tensor("scale", 0.5), zero])
    outputs, seen = shown(model, np.array([[0.1, 1.0, 3.3, 300.0]], np.float32))
    np.testing.assert_array_equal(seen["low"], [[0.1015625, 1.0, 3.25, 224.0]])
    np.testing.assert_array_equal(outputs["y"], 2 * seen["low"])


def test_branches_and_functions_read_what_is_around_them() -> None:
    model, x = nested(), np.array([[-1.0, 2.0, -3.0, 4.0]], dtype=np.float32)
    whole = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs, _ = shown(model, x)
    np.testing.assert_array_equal(outputs["y"], whole.run(None, {"x": x})[0])


def test_a_piece_that_does_not_run_is_named_as_such() -> None:
    node = helper.make_node("NoSuchOperator", ["x"], ["y"])
    with pytest.raises(GraphError, match="a piece of the graph does not run"):
        Streamed(model_of([node], [value("x", (1, 4))], [value("y", (1, 4))]))


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GraphError, match="a piece of the graph does not run"):
        shown(chain(3), np.zeros((1, 4), np.int64))
