"""Where a tensor's values come from, behind the casts and the quantisation that stand between types."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import TensorProto

from enginewright.graphs.types import tensor_types

_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
_WHOLE_SHORES = ("QuantizeLinear", "DequantizeLinear")


class Origins:
    """The shores of a typed graph or of its twin: nodes that only carry a tensor from one type into another.

    A cast of indices is none, since it computes something. Neither is the DequantizeLinear of a stored tensor: what
    was stored before it is not in the graph.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        types = tensor_types(model)
        quantised = {node.output[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
        self._before = {node.output[0]: node.input[0] for node in model.graph.node if _is_shore(node, types, quantised)}

    def of(self, tensor: str) -> str:
        """Return the tensor that the values of this one are: itself, unless a shore made it."""
        while tensor in self._before:
            tensor = self._before[tensor]
        return tensor

    def is_shore(self, node: onnx.NodeProto) -> bool:
        """Return whether a node of the graph is a shore."""
        return bool(node.output) and node.output[0] in self._before


def _is_shore(node: onnx.NodeProto, types: Mapping[str, int], quantised: set[str]) -> bool:
    if node.op_type == "Cast":
        return types.get(node.input[0]) in _FLOATS and types.get(node.output[0]) in _FLOATS
    if node.op_type not in _WHOLE_SHORES:
        return False
    return node.op_type == "QuantizeLinear" or node.input[0] in quantised
