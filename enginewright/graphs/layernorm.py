"""Whether LayerNorm is in a graph in the form that was asked for."""

from __future__ import annotations

import onnx

from enginewright.config.choices import Form
from enginewright.errors import GraphError
from enginewright.graphs.walk import count_ops

_OPERATOR = "LayerNormalization"


def layernorm_ops(model: onnx.ModelProto) -> int:
    """Return the number of LayerNormalization operators."""
    return count_ops(model)[_OPERATOR]


def check_form(model: onnx.ModelProto, form: Form, calls: int, stage: str) -> None:
    """Refuse a graph in which `stage` changed the form of LayerNorm, which the network runs `calls` times.

    Raises:
        GraphError: naming the stage, the operators expected and those found.
    """
    wanted = calls if form is Form.native else 0
    found = layernorm_ops(model)
    if found != wanted:
        raise GraphError(
            f"{stage} did not keep the LayerNorm form {form.name}",
            expected=f"{wanted} {_OPERATOR} operators for {calls} calls of LayerNorm",
            got=found,
            cure="choose another LayerNorm form, exporter, opset or precision: this one rewrites what was asked for",
        )
