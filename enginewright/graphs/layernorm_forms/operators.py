"""LayerNorm as one operator of ONNX."""

from __future__ import annotations

import onnx

from enginewright.graphs.walk import count_ops

OPERATOR = "LayerNormalization"


def layernorm_ops(model: onnx.ModelProto) -> int:
    """Return the number of LayerNormalization operators."""
    return count_ops(model)[OPERATOR]
