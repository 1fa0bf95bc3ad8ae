"""Opset 17 from the dynamo exporter, which writes 18 and gives up silently where its own down-conversion fails."""

from __future__ import annotations

import onnx
from onnx import version_converter

from enginewright.errors import GraphError

OLDEST = 18
"""The oldest opset that the dynamo exporter itself writes."""

_NEW_ATTRIBUTE = "noop_with_empty_axes"


def to_17(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of opset 18 as one of opset 17, by ONNX's own version converter.

    The converter leaves behind an attribute that only ReduceSum had at 17; at its default it says nothing, and the
    checker that follows every export would refuse any other.

    Raises:
        GraphError: if an operator has no way back.
    """
    try:
        converted: onnx.ModelProto = version_converter.convert_version(model, OLDEST - 1)
    except RuntimeError as error:
        raise GraphError(
            f"ONNX cannot take the dynamo exporter's graph down to opset 17: {str(error).splitlines()[0]}",
            expected="operators that opset 17 has too",
            cure=f"export.opset={OLDEST}, or export=torchscript",
        ) from error
    for node in converted.graph.node:
        if node.op_type.startswith("Reduce") and node.op_type != "ReduceSum":
            kept = [attribute for attribute in node.attribute if attribute.name != _NEW_ATTRIBUTE or attribute.i]
            del node.attribute[:]
            node.attribute.extend(kept)
    return converted
