"""Takes rounded values away from nodes that are not quantised.

ONNX Runtime puts one pair of QuantizeLinear and DequantizeLinear behind a tensor, and every node that reads the tensor
then reads the rounded one: a residual sum, a LayerNorm, an fp32 island.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import onnx

PAIR = ("QuantizeLinear", "DequantizeLinear")


def spare_others(model: onnx.ModelProto, op_types: Sequence[str], excluded: Sequence[str]) -> None:
    """Let every node read unrounded tensors that is not wholly quantised, of `op_types` and outside `excluded`.

    excluded: regular expressions of node names. Pairs that nobody reads any more are removed.
    """
    origins = _origins(model.graph)
    for node in model.graph.node:
        chosen = node.op_type in op_types and not any(re.match(pattern, node.name) for pattern in excluded)
        if node.op_type in PAIR or (chosen and origins.keys() >= set(node.input[:2])):
            continue
        node.input[:] = [origins.get(name, name) for name in node.input]
    _remove_unread_pairs(model.graph)


def _origins(graph: onnx.GraphProto) -> dict[str, str]:
    """Return for each rounded tensor the one that it was made of."""
    quantised = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    back = (node for node in graph.node if node.op_type == "DequantizeLinear")
    return {node.output[0]: quantised[node.input[0]] for node in back if node.input[0] in quantised}


def _remove_unread_pairs(graph: onnx.GraphProto) -> None:
    for operator in reversed(PAIR):
        read = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
        kept = [node for node in graph.node if node.op_type != operator or node.output[0] in read]
        del graph.node[:]
        graph.node.extend(kept)
