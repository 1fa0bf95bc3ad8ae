"""Which reduced types a graph computes in."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto

from enginewright.graphs.files import load_graph
from enginewright.graphs.inference import inferred
from enginewright.graphs.walk import all_nodes, all_tensors

_REDUCED: dict[int, str] = {
    TensorProto.FLOAT8E4M3FN: "float8",
    TensorProto.FLOAT8E5M2: "float8",
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
}

_QUANTISE = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
_IN_INTEGERS = {"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}
_NARROWEST_FIRST = ("float8", "int8", "float16", "bfloat16")


def reduced_types(model: onnx.ModelProto) -> frozenset[str]:
    """Return the reduced types that the graph computes in, none for an fp32 graph.

    Stored tensors and the targets of Cast nodes decide: a graph reaches a reduced floating-point type by no other way
    (its inputs are float32). Integers alone mean nothing, as indices are integers too: quantising operators decide,
    and they are int8's where there is no fp8.
    """
    kinds = {tensor.data_type for tensor in all_tensors(model)} | _cast_targets(model)
    found = {_REDUCED[kind] for kind in kinds if kind in _REDUCED}
    operators = {node.op_type for node in all_nodes(model)}
    if operators & _IN_INTEGERS or (operators & _QUANTISE and "float8" not in found):
        found.add("int8")
    return frozenset(found)


def reduced_type(model: onnx.ModelProto) -> str | None:
    """Return the narrowest reduced type that the graph computes in, or None for an fp32 graph."""
    found = reduced_types(model)
    return next((name for name in _NARROWEST_FIRST if name in found), None)


def reduced_precision(path: Path) -> str | None:
    """Return `reduced_type` of the graph in `path`."""
    return reduced_type(load_graph(path))


def _cast_targets(model: onnx.ModelProto) -> set[int]:
    nodes = (node for node in all_nodes(model) if node.op_type == "Cast")
    return {attribute.i for node in nodes for attribute in node.attribute if attribute.name == "to"}


def tensor_types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the ONNX element type of every tensor of the main graph that inference or declaration gives one."""
    graph = inferred(model, strict_mode=True).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}
