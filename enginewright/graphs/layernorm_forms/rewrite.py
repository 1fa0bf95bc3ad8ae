"""What a rewriter returns, and edits of graphs that both rewriters make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import inliner, numpy_helper

from enginewright.errors import GraphError
from enginewright.graphs.layernorm_forms.scope import Scope, inner_reads, scopes
from enginewright.graphs.walk import all_nodes, subgraphs


@dataclass(frozen=True)
class Rewrite:
    """A rewritten model, how many LayerNorms it has in the new form by that, and why others were left alone."""

    model: onnx.ModelProto
    changed: int
    left: tuple[str, ...] = ()


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model for a rewriter to edit.

    Its local functions are inlined, since they hide shapes, and what nothing reads is gone, so that it is not counted.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(inliner.inline_local_functions(model) if model.functions else model)
    _drop_everywhere(copy.graph)
    return copy


def _drop_everywhere(graph: onnx.GraphProto) -> None:
    drop_unread(graph)
    for node in graph.node:
        for _, inner in subgraphs(node):
            _drop_everywhere(inner)


class Editor:
    """New names, constants and nodes of one scope. `replace` puts the nodes in."""

    def __init__(self, scope: Scope, taken: set[str]) -> None:
        self.scope, self.taken = scope, taken
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def name(self, wanted: str) -> str:
        """Return `wanted`, with a number behind it if some value of the model has that name."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name

    def constant(self, wanted: str, array: NDArray[Any]) -> str:
        """Store an array, once however often it is asked for, and return its name."""
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.name(wanted)
            self.scope.graph.initializer.append(numpy_helper.from_array(array, self._constants[key]))
        return self._constants[key]

    def replace(self, nodes: dict[int, list[onnx.NodeProto]], gone: Iterable[int]) -> None:
        """Put new nodes in the places of those at the given indices, and take out the nodes in `gone`."""
        graph, out = self.scope.graph, set(gone)
        kept: list[onnx.NodeProto] = []
        for index, node in enumerate(graph.node):
            kept += nodes.get(index, [] if index in out else [node])
        copies = [_copy(node) for node in kept]
        del graph.node[:]
        graph.node.extend(copies)


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def editors(model: onnx.ModelProto) -> list[Editor]:
    """Return an editor for each subgraph and for the main graph; they share one set of names.

    Inner ones come first: an edit copies the nodes of its graph, and the graphs in them.
    """
    found = scopes(model)[::-1]
    taken = {name for node in all_nodes(model) for name in (*node.input, *node.output)}
    for scope in found:
        taken |= set(scope.known) | {value.name for value in scope.graph.input}
    return [Editor(scope, taken) for scope in found]


def drop_unread(graph: onnx.GraphProto) -> None:
    """Take out nodes and initializers that nothing reads any more, and what was said of values that are gone."""
    while unread := _unread(graph):
        for index in reversed(unread):
            del graph.node[index]
    read = _reads(graph)
    inputs = {value.name for value in graph.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read | inputs]:
        graph.initializer.remove(tensor)
    made = {name for node in graph.node for name in node.output}
    for value in [value for value in graph.value_info if value.name not in made]:
        graph.value_info.remove(value)


def _unread(graph: onnx.GraphProto) -> list[int]:
    read = _reads(graph)
    return [index for index, node in enumerate(graph.node) if read.isdisjoint(name for name in node.output if name)]


def _reads(graph: onnx.GraphProto) -> set[str]:
    return set(_names_read(graph))


def _names_read(graph: onnx.GraphProto) -> Iterator[str]:
    yield from (value.name for value in graph.output)
    for node in graph.node:
        yield from node.input
        yield from inner_reads(node)


def prove(what: str, expected: dict[str, int], found: dict[str, int]) -> None:
    """Refuse a rewrite whose counts are not what it claims.

    Raises:
        GraphError: with both counts. It is a fault of the rewriter.
    """
    if expected != found:
        raise GraphError(
            f"{what} did not do what it counted", expected=expected, got=found, cure="layernorm: the file's own form"
        )


def numpy_type(kind: int) -> np.dtype[Any]:
    """Return the numpy type of an ONNX element type."""
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind))
