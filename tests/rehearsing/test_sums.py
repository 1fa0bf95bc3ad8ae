"""Means as sums and quotients: the same numbers, over any axes, and only where they are asked for."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from enginewright.rehearsing.sums import with_sums
from tests.graphs.small import model_of, tensor, value

X = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)


def means(axes: list[int], keep: int, shape: tuple[int | str, ...] = (2, 3, 4)) -> onnx.ModelProto:
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["low"], "mean", keepdims=keep),
        helper.make_node("ReduceMean", ["x", "axes"], ["other"], "full", keepdims=keep),
    ]
    outputs = [value(name, None) for name in ("low", "other")]  # type: ignore[arg-type]
    return model_of(nodes, [value("x", shape)], outputs, [tensor("axes", axes, "int64")])


@pytest.mark.parametrize("shape", [(2, 3, 4), ("batch", "rows", 4)])
@pytest.mark.parametrize(("axes", "keep"), [([-1], 1), ([1], 0), ([0, 2], 1), ([0, 1, 2], 0)])
def test_the_mean_is_what_it_was(axes: list[int], keep: int, shape: tuple[int | str, ...]) -> None:
    model = with_sums(means(axes, keep, shape), {"low"})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, other = session.run(None, {"x": X})
    np.testing.assert_allclose(low, other, rtol=1e-6, atol=1e-7)
    assert low.shape == other.shape


@pytest.mark.parametrize("opset", [16, 17])
@pytest.mark.parametrize("axes", [[-1], [0, 2], None])
def test_axes_that_are_an_attribute_become_an_input(axes: list[int] | None, opset: int) -> None:
    """Of a mean they are one below opset 18; of a sum no longer from 13 on."""
    nodes = [helper.make_node("ReduceMean", ["x"], [name], name, axes=axes) for name in ("low", "other")]
    outputs = [value(name, None) for name in ("low", "other")]  # type: ignore[arg-type]
    model = model_of(nodes, [value("x", (2, 3, 4))], outputs)
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", opset)])
    session = onnxruntime.InferenceSession(
        with_sums(model, {"low"}).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    low, other = session.run(None, {"x": X})
    np.testing.assert_allclose(low, other, rtol=1e-6, atol=1e-7)
    assert low.shape == other.shape


def test_only_those_asked_for_are_taken_apart() -> None:
    model = with_sums(means([-1], 1), {"low"})
    operators = [node.op_type for node in model.graph.node]
    assert operators == ["ReduceSum", "Size", "Size", "Div", "Cast", "Div", "ReduceMean"]
    assert [node.name for node in model.graph.node if node.op_type == "ReduceSum"] == ["mean/sum"]
    assert [node.name for node in model.graph.node if node.output[0] == "low"] == ["mean"]
    assert with_sums(means([-1], 1), set()).SerializeToString() == means([-1], 1).SerializeToString()
