"""fp8 pairs as casts compute what the pairs compute, and survive every optimiser."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from enginewright.errors import GraphError
from enginewright.rehearsing.eight_bit_floats import as_casts
from tests.graphs.small import model_of, tensor, value

X = np.array([[0.1, -1.0, 3.3, 300.0]], np.float32)


def run(model: onnx.ModelProto, optimised: bool) -> NDArray[Any]:
    options = onnxruntime.SessionOptions()
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": X})[0])


def pair(scale: Any, stored: bool = False, axis: int = 1) -> onnx.ModelProto:
    """Return x through an fp8 pair and a Transpose; `stored`: times a matrix that is stored in fp8."""
    zeros = [0.0] * np.size(scale)
    shape = list(np.shape(scale))
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["q"], "q"),
        helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["low"], "dq"),
    ]
    tensors = [tensor("one", 0.5), helper.make_tensor("zero", TensorProto.FLOAT8E4M3FN, [], [0.0])]
    if stored:
        tensors += [tensor("scale", scale), helper.make_tensor("zeros", TensorProto.FLOAT8E4M3FN, shape, zeros)]
        tensors += [helper.make_tensor("w", TensorProto.FLOAT8E4M3FN, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])]
        nodes += [
            helper.make_node("DequantizeLinear", ["w", "scale", "zeros"], ["weight"], "dw", axis=axis),
            helper.make_node("MatMul", ["low", "weight"], ["product"], "mm"),
        ]
    last = "product" if stored else "low"
    nodes.append(helper.make_node("Transpose", [last], ["y"], "move", perm=[1, 0]))
    return model_of(nodes, [value("x", (1, 4))], [value("y", (2 if stored else 4, 1))], tensors)


@pytest.mark.parametrize(
    ("scale", "stored", "axis"),
    [(1.0, False, 1), (0.25, True, 1), ([0.25, 2.0], True, 1), ([1.0, 2.0, 3.0, 4.0], True, 0)],
)
def test_the_numbers_are_those_of_the_pairs(scale: Any, stored: bool, axis: int) -> None:
    model = pair(scale, stored, axis)
    casts = as_casts(model)
    assert not {"QuantizeLinear", "DequantizeLinear"} & {node.op_type for node in casts.graph.node}
    np.testing.assert_allclose(run(casts, optimised=True), run(model, optimised=False), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_weight_with_a_scale_for_each_slice_is_rounded_slice_by_slice(axis: int) -> None:
    """A convolution's weight stays in float32 in front of its pair, with one scale for each of its outputs."""
    size = (4, 2)[axis]
    scales = tensor("scales", [0.25, 2.0, 0.5, 1.0][:size])
    zeros = helper.make_tensor("zeros", TensorProto.FLOAT8E4M3FN, [size], [0.0] * size)
    nodes = [
        helper.make_node("QuantizeLinear", ["w", "scales", "zeros"], ["q"], "wq", axis=axis),
        helper.make_node("DequantizeLinear", ["q", "scales", "zeros"], ["weight"], "wdq", axis=axis),
        helper.make_node("MatMul", ["x", "weight"], ["y"], "product"),
    ]
    weight = tensor("w", np.linspace(-3, 3, 8).reshape(4, 2))
    model = model_of(nodes, [value("x", (1, 4))], [value("y", (1, 2))], [weight, scales, zeros])
    casts = as_casts(model)
    onnx.checker.check_model(casts, full_check=True)
    np.testing.assert_allclose(run(casts, optimised=True), run(model, optimised=False), rtol=1e-6)
    rounded_as_one = np.abs(run(casts, optimised=True) - X @ np.linspace(-3, 3, 8).reshape(4, 2).astype(np.float32))
    assert rounded_as_one.max() > 0


@pytest.mark.parametrize(
    ("operator", "size", "told"), [("Abs", 4, "quantised slice by slice"), ("Abs", 0, "is computed in the graph")]
)
def test_scales_that_cannot_be_rehearsed_are_named(operator: str, size: int, told: str) -> None:
    scale = [tensor("scale", [0.5] * size)] if size else []
    nodes = [
        helper.make_node(operator, ["x"], ["activation"], "act"),
        helper.make_node("QuantizeLinear", ["activation", "scale", "zeros"], ["q"], "aq", axis=1),
        helper.make_node("DequantizeLinear", ["q", "scale", "zeros"], ["y"], "adq", axis=1),
    ]
    zeros = helper.make_tensor("zeros", TensorProto.FLOAT8E4M3FN, [size or 1], [0.0] * (size or 1))
    inputs = [value("x", (1, 4))] + ([] if size else [value("scale", (1,))])
    with pytest.raises(GraphError, match=told):
        as_casts(model_of(nodes, inputs, [value("y", (1, 4))], [*scale, zeros]))


def test_int8_and_a_graph_without_pairs_stay_as_they_are() -> None:
    node = helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["q"], "q")
    back = helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["y"], "dq")
    tensors = [tensor("one", 0.5), tensor("zero", 0, "int8")]
    model = model_of([node, back], [value("x", (1, 4))], [value("y", (1, 4))], tensors)
    assert as_casts(model).SerializeToString() == model.SerializeToString()
