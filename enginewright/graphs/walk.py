"""Walks over graphs, subgraphs of control-flow nodes included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import onnx


def all_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield the graph and every subgraph of its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                yield from all_graphs(inner)


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those of subgraphs included."""
    for inner in all_graphs(graph):
        yield from inner.node


def count_ops(model: onnx.ModelProto) -> Counter[str]:
    """Return how many nodes there are of each operator type, functions and subgraphs included."""
    counts = Counter(node.op_type for node in all_nodes(model.graph))
    for function in model.functions:
        counts.update(node.op_type for node in function.node)
    return counts


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the default operator set that the model imports."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
