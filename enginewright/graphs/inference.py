"""ONNX's shape inference without the weights: it serialises a model to read it, and once more to return it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import onnx
from google.protobuf.message import Message

_FEW = 4096
"""A stored tensor of more elements is a weight: the shapes and axes that inference reads are a few numbers."""


def inferred(model: onnx.ModelProto, **options: Any) -> onnx.ModelProto:
    """Return a copy of a model with the types and shapes that ONNX infers; options: those of `onnx.shape_inference`.

    Raises:
        onnx.shape_inference.InferenceError: with `strict_mode`, where a node's output cannot be inferred.
    """
    found = onnx.shape_inference.infer_shapes(_without_weights(model), **options)
    del found.graph.initializer[:]
    found.graph.initializer.extend(model.graph.initializer)
    return found


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    light = onnx.ModelProto()
    _copy_all_but("graph", model, light)
    _copy_all_but("initializer", model.graph, light.graph)
    light.graph.initializer.extend(map(_without_data, model.graph.initializer))
    return light


def _copy_all_but(left: str, source: Message, target: Message) -> None:
    for field, value in source.ListFields():
        if field.name == left:
            continue
        if isinstance(value, Message | Iterable) and not isinstance(value, str | bytes):
            getattr(target, field.name).MergeFrom(value)
        else:
            setattr(target, field.name, value)


def _without_data(tensor: onnx.TensorProto) -> onnx.TensorProto:
    if math.prod(tensor.dims) <= _FEW:
        return tensor
    return onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
