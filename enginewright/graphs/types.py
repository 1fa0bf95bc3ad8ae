"""Which floating-point types a graph computes in."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto

from enginewright.graphs.files import load_graph
from enginewright.graphs.walk import all_nodes, all_tensors

_REDUCED = {
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.FLOAT8E4M3FN: "float8",
    TensorProto.FLOAT8E5M2: "float8",
}


def reduced_type(model: onnx.ModelProto) -> str | None:
    """Return the reduced floating-point type that the graph computes in, or None for an fp32 graph.

    Stored tensors and the targets of Cast nodes decide: a graph reaches a reduced type by no other way (its inputs
    are float32).
    """
    found = {tensor.data_type for tensor in all_tensors(model)} | _cast_targets(model)
    return next((name for kind, name in _REDUCED.items() if kind in found), None)


def reduced_precision(path: Path) -> str | None:
    """Return `reduced_type` of the graph in `path`."""
    return reduced_type(load_graph(path))


def _cast_targets(model: onnx.ModelProto) -> set[int]:
    nodes = (node for node in all_nodes(model) if node.op_type == "Cast")
    return {attribute.i for node in nodes for attribute in node.attribute if attribute.name == "to"}


def tensor_types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the ONNX element type of every tensor of the main graph that inference or declaration gives one."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}
