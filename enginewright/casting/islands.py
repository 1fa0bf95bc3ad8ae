"""fp32 islands: nodes that must compute in fp32 in a reduced graph, and the proof that they do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import onnx
from onnx import TensorProto

from enginewright.errors import GraphError
from enginewright.graphs.layernorm_forms.count import decomposed_nodes
from enginewright.graphs.types import tensor_types

_REDUCED = {TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2}
SHORES = ("Cast", "QuantizeLinear", "DequantizeLinear")
"""Operators between types: they are named after the nodes that they stand beside, and belong to neither side."""


def count_types(model: onnx.ModelProto) -> dict[str, int]:
    """Return how many tensors that nodes take or give have each element type: float32, float16, float8e4m3fn ..."""
    types = tensor_types(model)  # declarations of tensors that are gone among them
    used = {name for node in model.graph.node for name in (*node.input, *node.output)}
    kinds = (TensorProto.DataType.Name(kind).lower() for name, kind in types.items() if name in used)
    return dict(sorted(Counter("float32" if kind == "float" else kind for kind in kinds).items()))


def fp32_nodes(model: onnx.ModelProto) -> int:
    """Return how many nodes, casts and quantisation apart, have a float32 output."""
    types = tensor_types(model)
    nodes = (node for node in model.graph.node if node.op_type not in (*SHORES, "Constant"))
    return sum(any(types.get(name) == TensorProto.FLOAT for name in node.output) for node in nodes)


def exactly(name: str) -> str:
    """Return the regular expression of one node's name."""
    return f"{re.escape(name)}$"


def layernorm_islands(model: onnx.ModelProto, layernorms: int) -> list[str]:
    """Return a regular expression for the nodes of each decomposed LayerNorm of a simplified graph, casts apart.

    layernorms: how many layers the network has. If none, then none is looked for.

    Raises:
        GraphError: if there is no decomposed LayerNorm, or a node of one has no name of its own.
    """
    found = decomposed_nodes(model) if layernorms else []
    if layernorms and not found:
        raise GraphError(
            "the cast stage finds no LayerNorm to keep in fp32",
            expected=f"decomposed LayerNorms, of {layernorms} layers",
            got=0,
            cure="build the simplified graph again with layernorm=island",
        )
    names = Counter(node.name for node in model.graph.node)
    nameless = [node.output[0] for nodes in found for node in nodes if not node.name or names[node.name] > 1]
    if nameless:
        raise GraphError(
            "a node of a LayerNorm has no name of its own, by which the cast stage could keep it in fp32",
            expected="names as the simplify stage gives them",
            got=nameless[:10],
            cure="build the simplified graph again",
        )
    return [rf"(?:{'|'.join(re.escape(node.name) for node in nodes)})\Z" for nodes in found]


def check_islands(model: onnx.ModelProto, patterns: Sequence[str]) -> None:
    """Refuse a graph in which a node that must stay fp32 takes or gives a reduced type, or takes quantised values.

    patterns: regular expressions of node names. One that matches no node is refused too: it protects nothing. Casts
    do not count: those at an island's shore are named after its nodes.

    Raises:
        GraphError: naming the nodes, or the pattern.
    """
    types = tensor_types(model) if patterns else {}
    rounded = {name for node in model.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    for pattern in patterns:
        nodes = [node for node in model.graph.node if node.op_type not in SHORES and re.match(pattern, node.name)]
        if not nodes:
            raise GraphError("an fp32 island matches no node", expected="names of the simplified graph", got=pattern)
        broken = [
            node.name
            for node in nodes
            if rounded.intersection(node.input) or any(types.get(n) in _REDUCED for n in (*node.input, *node.output))
        ]
        if broken:
            raise GraphError(
                "nodes that must stay fp32 compute in a reduced type", expected=f"fp32 for {pattern}", got=broken[:10]
            )
