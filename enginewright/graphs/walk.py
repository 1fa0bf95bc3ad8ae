"""Walks over whole models: main graph, subgraphs of control flow, functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import onnx
from google.protobuf.message import Message


def all_messages(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and every message in it, at any depth, but nothing from inside tensors."""
    yield message
    if isinstance(message, onnx.TensorProto):  # it holds numbers; to list its fields would copy the weights
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if isinstance(value, Message) else value:
                yield from all_messages(inner)


def subgraphs(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.GraphProto]]:
    """Yield attribute name and graph of each subgraph that a node of control flow runs."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.name, attribute.g
        for inner in attribute.graphs:
            yield attribute.name, inner


def all_nodes(model: onnx.ModelProto | onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    """Yield every node of the model, or of a part of it, subgraphs and, of a whole model, functions included."""
    return (item for item in all_messages(model) if isinstance(item, onnx.NodeProto))


def all_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every stored tensor of the model: initializers, dense or sparse, and attributes of nodes, anywhere."""
    return (item for item in all_messages(model) if isinstance(item, onnx.TensorProto))


def count_ops(model: onnx.ModelProto) -> Counter[str]:
    """Return how many nodes there are of each operator type, functions and subgraphs included."""
    return Counter(node.op_type for node in all_nodes(model))


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the default operator set that the model imports."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
