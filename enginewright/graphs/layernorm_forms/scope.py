"""One graph of a model as a rewriter needs it: who makes and who reads each value, and what is known of it.

A scope is the main graph or a subgraph of control flow; a subgraph sees the values of the graphs around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from enginewright.graphs.layernorm_forms.known import MOST, Known, inferred
from enginewright.graphs.layernorm_forms.sizes import known_sizes
from enginewright.graphs.walk import subgraphs

_CONSTANT_VALUES = {"value", "value_float", "value_floats", "value_int", "value_ints"}
_KEEPING = {"Identity", "Cast", "DequantizeLinear", "Reshape", "Unsqueeze", "Squeeze", "Transpose"}
"""Operators that make a weight of weights. A short list: anything else counts as data."""


@dataclass
class Scope:
    """A graph, what inference knows of its values, and the scope around it."""

    graph: onnx.GraphProto
    known: dict[str, Known]
    outer: Scope | None = None

    @cached_property
    def makers(self) -> dict[str, int]:
        """The index of the node that makes each value of this graph."""
        return {name: index for index, node in enumerate(self.graph.node) for name in node.output if name}

    @cached_property
    def readers(self) -> dict[str, list[int]]:
        """The indices of the nodes that read each value; a node reads what its subgraphs read, too."""
        found: dict[str, list[int]] = {}
        for index, node in enumerate(self.graph.node):
            for name in dict.fromkeys((*node.input, *inner_reads(node))):
                found.setdefault(name, []).append(index)
        return found

    @cached_property
    def outputs(self) -> set[str]:
        """The names of the graph's outputs."""
        return {value.name for value in self.graph.output}

    @cached_property
    def _stored(self) -> dict[str, onnx.TensorProto]:
        """The initializers that no input can override."""
        inputs = {value.name for value in self.graph.input}
        return {tensor.name: tensor for tensor in self.graph.initializer if tensor.name not in inputs}

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """Return the shape of a value, None for an axis that is not known, or None where not even the rank is."""
        known = self.find(name)
        return known.shape if known else None

    def rank(self, name: str) -> int | None:
        """Return the number of axes of a value, or None where it is not known."""
        shape = self.shape(name)
        return None if shape is None else len(shape)

    def kind(self, name: str) -> int | None:
        """Return the ONNX element type of a value, or None where it is not known."""
        known = self.find(name)
        return known.kind if known else None

    def find(self, name: str) -> Known | None:
        """Return what is known of a value of this graph, or of one around it."""
        return self._home(name).known.get(name)

    def constant(self, name: str) -> NDArray[Any] | None:
        """Return the value of an initializer, a Constant, an Identity of either, or known sizes; None for all else."""
        scope = self._home(name)
        if name in scope._stored:
            return numpy_helper.to_array(scope._stored[name])
        if name not in scope.makers:
            return None
        node = scope.graph.node[scope.makers[name]]
        if node.op_type == "Identity":
            return scope.constant(node.input[0])
        return _constant_of(node) if node.op_type == "Constant" else known_sizes(scope, node)

    def maker(self, name: str) -> tuple[Scope, onnx.NodeProto] | None:
        """Return the node that makes a value, with the scope it stands in; None for an input or a stored tensor."""
        scope = self._home(name)
        return (scope, scope.graph.node[scope.makers[name]]) if name in scope.makers else None

    def number(self, name: str) -> float | None:
        """Return the one number that a constant consists of, whatever its shape, or None."""
        array = self.few(name)
        if array is None or not array.size or array.dtype.kind not in "fiuV" or not (array == array.flat[0]).all():
            return None
        return float(array.flat[0])

    def few(self, name: str) -> NDArray[Any] | None:
        """Return the value of a constant of few elements, or None."""
        shape = self.shape(name)
        few = shape is not None and math.prod(size or 0 for size in shape) <= MOST
        return self.constant(name) if few else None

    def is_weight(self, name: str) -> bool:
        """Return whether a value follows from stored tensors alone, so that no input can change it."""
        scope = self._home(name)
        if name in scope._stored:
            return True
        if name not in scope.makers:
            return False
        node = scope.graph.node[scope.makers[name]]
        return node.op_type == "Constant" or (
            node.op_type in _KEEPING and all(scope.is_weight(read) for read in node.input if read)
        )

    def _home(self, name: str) -> Scope:
        """Return the scope that a name belongs to: this one, or one around it."""
        own = name in self.makers or name in self._stored or name in self.known
        return self if own or self.outer is None else self.outer._home(name)


def scopes(model: onnx.ModelProto) -> list[Scope]:
    """Return the scopes of the main graph and of every subgraph in it, inner ones after those around them."""
    return list(_scopes(model.graph, None, tuple(model.opset_import)))


def _scopes(
    graph: onnx.GraphProto, outer: Scope | None, opsets: tuple[onnx.OperatorSetIdProto, ...]
) -> Iterator[Scope]:
    around = {} if outer is None else _read_of(outer, graph)
    constants = {name: array for name in around if outer and (array := outer.few(name)) is not None}
    scope = Scope(graph, inferred(graph, around, constants, opsets), outer)
    yield scope
    for node in graph.node:
        for _, inner in subgraphs(node):
            yield from _scopes(inner, scope, opsets)


def _read_of(outer: Scope, graph: onnx.GraphProto) -> dict[str, Known]:
    """Return what is known of the values around a graph that it, or a graph in it, reads."""
    own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    own |= {name for node in graph.node for name in node.output}
    read = {value.name for value in graph.output}
    read |= {name for node in graph.node for name in (*node.input, *inner_reads(node))}
    found = {name: outer.find(name) for name in sorted(read - own)}
    return {name: known for name, known in found.items() if known}


def inner_reads(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names that the subgraphs of a node read or return, their own values among them."""
    for _, graph in subgraphs(node):
        yield from (value.name for value in graph.output)
        for inner in graph.node:
            yield from inner.input
            yield from inner_reads(inner)


def _constant_of(node: onnx.NodeProto) -> NDArray[Any] | None:
    attribute = node.attribute[0] if node.attribute else None
    if attribute is None or attribute.name not in _CONSTANT_VALUES:
        return None
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value, dtype=np.float32 if "float" in attribute.name else np.int64)
