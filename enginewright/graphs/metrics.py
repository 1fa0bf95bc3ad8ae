"""The metrics of a graph that goes on to simplify, whichever stage made it."""

from __future__ import annotations

from typing import Any

import onnx

from enginewright.graphs.files import graph_bytes
from enginewright.graphs.layernorm import forms_of
from enginewright.graphs.walk import count_ops, opset_of


def export_metrics(graph: onnx.ModelProto, seconds: float) -> dict[str, Any]:
    """Return the metrics of export.json; seconds: what making the graph took."""
    return {
        "opset": opset_of(graph),
        "nodes": count_ops(graph).total(),
        "bytes": len(graph_bytes(graph)),
        **forms_of(graph).metrics(),
        "seconds": round(seconds, 1),
    }
