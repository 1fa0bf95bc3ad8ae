"""fp8 quantisation as casts: the same numbers, without the operators that ONNX Runtime's optimisers move about.

They exchange a Transpose with the QuantizeLinear before it, as they may with int8, and the CPU has no Transpose of fp8.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enginewright.errors import GraphError

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
        yield helper.make_node("Div", [node.input[0], _scale(node, model, stored)], [quotient], f"{node.name}/quotient")
        yield helper.make_node("Cast", [quotient], [node.output[0]], node.name, to=kind)
    elif node.op_type == "DequantizeLinear" and node.input[0] in stored and node.input[0] in low:
        model.graph.initializer.append(numpy_helper.from_array(_values(node, stored), node.output[0]))
    elif node.op_type == "DequantizeLinear" and node.input[0] in low:
        wide = f"{node.output[0]}/wide"
        yield helper.make_node("Cast", [node.input[0]], [wide], f"{node.name}/wide", to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [wide, _scale(node, model, stored)], [node.output[0]], node.name)
    else:
        yield node


def _scale(node: onnx.NodeProto, model: onnx.ModelProto, stored: dict[str, TensorProto]) -> str:
    """Return the name of a node's scale, in a shape that broadcasts along the node's axis.

    Raises:
        GraphError: for a scale that is computed, and so may be one for each slice.
    """
    if node.input[1] not in stored:
        raise GraphError(
            f"the scale of {node.name} is computed in the graph", expected="a stored scale", got=node.input[1],
            cure="quantise with fixed scales, as the cast stage does",
        )  # fmt: skip
    scale = numpy_helper.to_array(stored[node.input[1]])
    if scale.size <= 1:
        return str(node.input[1])
    name = f"{node.name}/scale"
    after = _rank(node.input[0], model, stored) - 1 - _axis(node) % _rank(node.input[0], model, stored)
    model.graph.initializer.append(numpy_helper.from_array(scale.reshape([-1] + [1] * after), name))
    return name


def _rank(name: str, model: onnx.ModelProto, stored: dict[str, TensorProto]) -> int:
    """Return how many axes a tensor has that is quantised slice by slice: a weight, as it is stored or just rounded."""
    if name in stored:
        return len(stored[name].dims)
    maker = next((node for node in model.graph.node if name in node.output), None)
    if maker is None or maker.op_type not in ("Cast", "Div", "Mul"):
        raise GraphError(
            f"{name} is quantised slice by slice and is no stored weight", expected="one scale for an activation",
            got=maker.op_type if maker else "an input", cure="quantise activations with one scale each",
        )  # fmt: skip
    return _rank(maker.input[0], model, stored)


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)


def _values(node: onnx.NodeProto, stored: dict[str, TensorProto]) -> NDArray[np.float32]:
    """Return what a DequantizeLinear makes of a stored tensor, with one scale or one for each slice of an axis."""
    values, scale = (numpy_helper.to_array(stored[name]).astype(np.float32) for name in node.input[:2])
    if scale.size > 1:
        scale = scale.reshape([-1 if place == _axis(node) % values.ndim else 1 for place in range(values.ndim)])
    found: NDArray[np.float32] = values * scale
    return found
