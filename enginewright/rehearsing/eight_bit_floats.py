"""fp8 quantisation as casts: the same numbers, without the operators that ONNX Runtime's optimisers move about.

They exchange a Transpose with the QuantizeLinear before it, as they may with int8, and the CPU has no Transpose of fp8.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_KINDS = {TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2}


def as_casts(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float32 model whose fp8 pairs of its main graph are quotient, cast, cast and product.

    Stored fp8 tensors become the float32 ones that they stand for.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    low = {name for name, tensor in stored.items() if tensor.data_type in _KINDS}
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    for node in model.graph.node:
        found.graph.node.extend(_steps(node, found, stored, low))
    return found


def _steps(
    node: onnx.NodeProto, model: onnx.ModelProto, stored: dict[str, TensorProto], low: set[str]
) -> Iterator[onnx.NodeProto]:
    if node.op_type == "QuantizeLinear" and node.input[2] in low:
        kind, quotient = stored[node.input[2]].data_type, f"{node.output[0]}/quotient"
        low.add(node.output[0])
        yield helper.make_node("Div", [node.input[0], node.input[1]], [quotient], f"{node.name}/quotient")
        yield helper.make_node("Cast", [quotient], [node.output[0]], node.name, to=kind)
    elif node.op_type == "DequantizeLinear" and node.input[0] in stored and node.input[0] in low:
        model.graph.initializer.append(numpy_helper.from_array(_values(node, stored), node.output[0]))
    elif node.op_type == "DequantizeLinear" and node.input[0] in low:
        wide = f"{node.output[0]}/wide"
        yield helper.make_node("Cast", [node.input[0]], [wide], f"{node.name}/wide", to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [wide, node.input[1]], [node.output[0]], node.name)
    else:
        yield node


def _values(node: onnx.NodeProto, stored: dict[str, TensorProto]) -> NDArray[np.float32]:
    """Return what a DequantizeLinear makes of a stored tensor, with one scale or one for each slice of an axis."""
    values, scale = (numpy_helper.to_array(stored[name]).astype(np.float32) for name in node.input[:2])
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if scale.size > 1:
        scale = scale.reshape([-1 if place == axis % values.ndim else 1 for place in range(values.ndim)])
    found: NDArray[np.float32] = values * scale
    return found
