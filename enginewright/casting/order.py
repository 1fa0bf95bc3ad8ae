"""One order for the nodes of a cast graph: AutoCast writes casts in that of Python's hashes, anew in each process."""

from __future__ import annotations

from collections.abc import Iterator

import onnx


def settle(model: onnx.ModelProto) -> None:
    """Put every Cast right before the first node that reads it, the last ones in order of name; sort `value_info`.

    All other nodes keep their order among themselves, which is the source graph's.
    """
    graph = model.graph
    casts = {name: node for node in graph.node if node.op_type == "Cast" for name in node.output}
    placed: dict[int, onnx.NodeProto] = {}
    for node in (*_others(graph), *sorted(casts.values(), key=lambda cast: cast.output[0])):
        for step in (*_casts_before(node, casts), node):
            placed.setdefault(id(step), step)
    nodes = list(placed.values())
    infos = sorted(graph.value_info, key=lambda info: info.name)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.value_info.extend(infos)


def _others(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    return (node for node in graph.node if node.op_type != "Cast")


def _casts_before(node: onnx.NodeProto, casts: dict[str, onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield the casts that a node waits for, those of casts first; what a subgraph reads counts too."""
    for name in _read(node):
        if name in casts:
            yield from _casts_before(casts[name], casts)
            yield casts[name]


def _read(node: onnx.NodeProto) -> Iterator[str]:
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
