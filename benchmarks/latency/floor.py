"""The least that a graph costs: the arithmetic of its products, and the bytes that must move at least once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import prod

import onnx
from onnx import TensorProto, helper, shape_inference

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Floor:
    """flops: of products, two for each multiplication and addition. weights, io: bytes of initializers, of inputs and
    outputs. tensors: bytes that all nodes read and write, each by itself, as if nothing was fused."""

    flops: int
    weights: int
    io: int
    tensors: int

    def as_metrics(self) -> dict[str, int]:
        """Return the fields."""
        return asdict(self)

    def milliseconds(self, tflops: float, gigabytes: float) -> float:
        """Return the least time of one call: whichever takes longer, the arithmetic or weights, inputs and outputs."""
        return max(self.flops / tflops / 1e9, (self.weights + self.io) / gigabytes / 1e6)


def floor_of(model: onnx.ModelProto) -> Floor:
    """Return the floor of a graph of static shapes, by ONNX's own shape inference.

    Raises:
        KeyError: if the shape of a product's input is not known.
    """
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    shapes: Shapes = {
        value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim) for value in values
    }
    sizes = {value.name: prod(shapes[value.name]) * _width(value.type.tensor_type.elem_type) for value in values}
    for tensor in graph.initializer:
        shapes[tensor.name] = tuple(tensor.dims)
        sizes[tensor.name] = prod(tensor.dims) * _width(tensor.data_type)
    return Floor(
        flops=sum(_FLOPS[node.op_type](node, shapes) for node in graph.node if node.op_type in _FLOPS),
        weights=sum(sizes[tensor.name] for tensor in graph.initializer),
        io=sum(sizes[value.name] for value in (*graph.input, *graph.output)),
        tensors=sum(_moved(node, sizes) for node in graph.node),
    )


_FREE = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Constant"}


def _moved(node: onnx.NodeProto, sizes: dict[str, int]) -> int:
    return 0 if node.op_type in _FREE else sum(sizes.get(name, 0) for name in (*node.input, *node.output))


def _width(kind: int) -> int:
    """Return the bytes of an element."""
    return int(helper.tensor_dtype_to_np_dtype(kind).itemsize) if kind != TensorProto.UNDEFINED else 0


def _matmul(node: onnx.NodeProto, shapes: Shapes) -> int:
    return 2 * prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]


def _gemm(node: onnx.NodeProto, shapes: Shapes) -> int:
    left = shapes[node.input[0]]
    turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return 2 * prod(shapes[node.output[0]]) * left[0 if turned else 1]


def _attention(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Return both products of queries (B, S, heads * size), keys and values (B, T, ...), or those with heads apart."""
    queries, keys, values = (shapes[name] for name in node.input[:3])
    tokens = keys[-2]
    return 2 * tokens * (prod(queries) + prod(queries[:-1]) * values[-1])


def _convolution(node: onnx.NodeProto, shapes: Shapes) -> int:
    return 2 * prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])


_FLOPS: dict[str, Callable[[onnx.NodeProto, Shapes], int]] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Attention": _attention,
    "Conv": _convolution,
}
