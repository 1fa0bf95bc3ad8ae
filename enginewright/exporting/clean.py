"""Takes out of a graph what depends on where the project lies: documentation, stack traces, metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx

from enginewright.graphs.walk import all_graphs

_NOTES = ("doc_string", "metadata_props")


def strip_notes(model: onnx.ModelProto) -> None:
    """Clear documentation strings and metadata of the model, its functions, and everything in its graphs.

    The dynamo exporter writes absolute paths and source lines there: a moved checkout would change every hash.
    """
    for item in _noted(model):
        for name in _NOTES:
            if name in item.DESCRIPTOR.fields_by_name:
                item.ClearField(name)


def _noted(model: onnx.ModelProto) -> Iterable[Any]:
    yield model
    for function in model.functions:
        yield from [function, *function.node, *function.value_info]
    for graph in all_graphs(model.graph):
        yield from [graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info]
        yield from (attribute for node in graph.node for attribute in node.attribute)


def name_axes(model: onnx.ModelProto, axes: dict[str, dict[int, str]]) -> None:
    """Give the open axes of inputs and outputs the names of the contract: {tensor: {axis: name}}.

    Exporters invent names such as s77; profiles are configured by the contract's.
    """
    for value in [*model.graph.input, *model.graph.output]:
        for index, name in axes.get(value.name, {}).items():
            dimension = value.type.tensor_type.shape.dim[index]
            if not dimension.HasField("dim_value"):
                dimension.dim_param = name
