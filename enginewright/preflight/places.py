"""Every node of a model with what its names mean where it stands: types, stored tensors, producers."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import onnx
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto

from enginewright.graphs.walk import subgraphs

Types: TypeAlias = ChainMap[str, ValueInfoProto]
Constants: TypeAlias = ChainMap[str, TensorProto]
Producers: TypeAlias = "ChainMap[str, Place]"


@dataclass(frozen=True)
class Scope:
    """What names mean in one graph and in those around it."""

    types: Types
    constants: Constants
    producers: Producers


@dataclass(frozen=True, eq=False)
class Place:
    """One node and where it stands.

    index: in its own graph. path: the way to that graph, for example ("branch", "then_branch"); empty for the main one.
    """

    node: NodeProto
    index: int
    path: tuple[str, ...]
    scope: Scope

    @property
    def name(self) -> str:
        """Return the node's name, or its index and first output."""
        return self.node.name or f"node {self.index} (output {next(filter(None, self.node.output), 'none')})"

    @property
    def label(self) -> str:
        """Return the way to the node and its name."""
        return " > ".join((*self.path, self.name))


def places_of(model: onnx.ModelProto) -> list[Place]:
    """Return the nodes of a model without functions; those of a subgraph come before the node that holds it."""
    return list(_places(model.graph, (), Scope(ChainMap(), ChainMap(), ChainMap())))


def _places(graph: GraphProto, path: tuple[str, ...], outer: Scope) -> Iterator[Place]:
    scope = Scope(
        outer.types.new_child({item.name: item for item in (*graph.input, *graph.value_info, *graph.output)}),
        outer.constants.new_child({item.name: item for item in graph.initializer}),
        outer.producers.new_child({}),
    )
    for index, node in enumerate(graph.node):
        place = Place(node, index, path, scope)
        for attribute, inner in subgraphs(node):
            yield from _places(inner, (*path, place.name, attribute), scope)
        scope.producers.maps[0].update(dict.fromkeys(filter(None, node.output), place))
        yield place


def read_names(node: NodeProto) -> list[str]:
    """Return the tensors that a node reads: its inputs, and what its subgraphs take from around them; each once."""
    inner = [name for _, graph in subgraphs(node) for name in _captured(graph)]
    return list(dict.fromkeys(name for name in (*node.input, *inner) if name))


def _captured(graph: GraphProto) -> list[str]:
    made = {item.name for item in (*graph.input, *graph.initializer)}
    made |= {name for node in graph.node for name in node.output}
    used = [name for node in graph.node for name in read_names(node)] + [item.name for item in graph.output]
    return [name for name in used if name not in made]
