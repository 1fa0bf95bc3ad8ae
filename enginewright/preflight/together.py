"""Models side by side in one, and models in fp16."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from enginewright.graphs.walk import all_messages

_FLOAT, _HALF = TensorProto.FLOAT, TensorProto.FLOAT16
_LARGEST_HALF = 65504.0


def merged(models: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """Return models of the same operator sets side by side in one, every name prefixed with its model's number."""
    parts = [compose.add_prefix(model, f"{number}/").graph for number, model in enumerate(models)]
    graph = helper.make_graph(
        [node for part in parts for node in part.node],
        "together",
        [value for part in parts for value in part.input],
        [value for part in parts for value in part.output],
        [tensor for part in parts for tensor in part.initializer],
    )
    return helper.make_model(graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)


def in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model with fp16 for every fp32: tensors, stored tensors, targets of casts."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for item in list(all_messages(copy)):
        _halve(item)
    return copy


def _halve(item: Any) -> None:
    if isinstance(item, onnx.TypeProto.Tensor) and item.elem_type == _FLOAT:
        item.elem_type = _HALF
    elif isinstance(item, TensorProto) and item.data_type == _FLOAT:
        with suppress(ValueError):  # a broken tensor stays as it is, for the parser to refuse
            values = numpy_helper.to_array(item).clip(-_LARGEST_HALF, _LARGEST_HALF).astype("float16")
            item.CopyFrom(numpy_helper.from_array(values, item.name))
    elif isinstance(item, onnx.AttributeProto) and item.name in ("to", "dtype") and item.i == _FLOAT:
        item.i = _HALF
