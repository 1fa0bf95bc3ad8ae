"""fp8 pairs as casts compute what the pairs compute, and survive every optimiser."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

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


def test_int8_and_a_graph_without_pairs_stay_as_they_are() -> None:
    node = helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["q"], "q")
    back = helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["y"], "dq")
    tensors = [tensor("one", 0.5), tensor("zero", 0, "int8")]
    model = model_of([node, back], [value("x", (1, 4))], [value("y", (1, 4))], tensors)
    assert as_casts(model).SerializeToString() == model.SerializeToString()
