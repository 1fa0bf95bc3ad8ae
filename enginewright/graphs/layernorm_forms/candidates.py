"""The decomposed LayerNorms of a scope: each ends in one value, and either can become an operator or says why not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from enginewright.graphs.layernorm_forms.reading import Reading
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.layernorm_forms.terms import Role, Term
from enginewright.graphs.layernorm_forms.unmatched import unmatched
from enginewright.graphs.layernorm_forms.weights import normalised_shape

TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
"""What the operator takes without losing precision: it computes in fp32, so not float64."""

_MOST_ONES = 1 << 16
"""What normalises more numbers than this without a scale is rather an instance normalisation."""


@dataclass(frozen=True)
class Candidate:
    """A decomposed LayerNorm: the index of its last node, the value that this makes, and its term."""

    last: int
    value: str
    term: Term


def candidates(scope: Scope) -> tuple[list[Candidate], list[str]]:
    """Return the LayerNorms of a scope that can become operators, and for each of the others a sentence why not."""
    reading = Reading(scope)
    found = chains(scope, reading)
    left = {candidate.value: reason for candidate in found if (reason := next(_unfit(scope, candidate.term), None))}
    kept = [candidate for candidate in found if candidate.value not in left]
    while refused := {candidate.value: reason for candidate in kept if (reason := _shared(scope, candidate, kept))}:
        left |= refused
        kept = [candidate for candidate in kept if candidate.value not in refused]
    known: frozenset[int] = frozenset().union(*(candidate.term.nodes for candidate in found))
    return kept, [*(f"{value}: {reason}" for value, reason in left.items()), *unmatched(scope, reading, known)]


def chains(scope: Scope, reading: Reading) -> list[Candidate]:
    """Return one candidate for each value in which x becomes normal, as far on as scale and bias are its own."""
    found = []
    for index, node in enumerate(scope.graph.node):
        term = reading.term(node.output[0]) if node.output else None
        if term and term.role is Role.normal and not _continues(reading, node, term):
            found.append(_furthest(scope, reading, Candidate(index, node.output[0], term)))
    return found


def _continues(reading: Reading, node: onnx.NodeProto, term: Term) -> bool:
    """Return whether the node goes on from a value that is normal already."""
    before = [found for name in node.input if (found := reading.term(name))]
    return any(found.role is Role.normal and found.of == term.of for found in before)


def _furthest(scope: Scope, reading: Reading, start: Candidate) -> Candidate:
    readers = scope.readers.get(start.value, [])
    if len(readers) != 1 or start.value in scope.outputs:
        return start
    node = scope.graph.node[readers[0]]
    term = reading.term(node.output[0])
    if term is None or term.role is not Role.normal or term.of != start.term.of:
        return start
    return _furthest(scope, reading, Candidate(readers[0], node.output[0], term))


def _unfit(scope: Scope, term: Term) -> Iterator[str]:
    """Yield why the operator cannot say this LayerNorm."""
    shape, sizes = scope.shape(term.of), normalised_shape(scope, term)
    if term.cast:
        yield f"the Cast {term.cast} stands inside it, so that parts of it are computed in another type"
    if scope.kind(term.of) is None or shape is None:
        yield f"the type or the rank of {term.of} is not known"
    elif scope.kind(term.of) not in TYPES:
        yield "it is not of float32, float16 or bfloat16, which are what the operator computes without loss"
    elif sizes is None:
        axes = list(term.axes or ())
        yield f"it goes over the axes {axes} of {_text(shape)}; the operator takes the last ones, of known size"
    elif math.prod(sizes) > _MOST_ONES and term.scale is None:
        yield f"it has no scale of its own, and the operator would need {math.prod(sizes)} ones for it"


def _text(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"


def _shared(scope: Scope, candidate: Candidate, kept: list[Candidate]) -> str | None:
    """Return which value of a LayerNorm something else needs, so that fusing would compute it twice, or None."""
    gone = frozenset().union(*(other.term.nodes for other in kept))
    needed = {name for other in kept for name in (other.term.of, other.term.scale, other.term.bias) if name}
    for index in sorted(candidate.term.nodes - {candidate.last}):
        for name in scope.graph.node[index].output:
            others = [scope.graph.node[reader] for reader in scope.readers.get(name, []) if reader not in gone]
            if others:
                reader = f"{others[0].op_type} {others[0].name or others[0].output[0]}"
                return f"{name}, a step of it, is also read by {reader}"
            if name in scope.outputs:
                return f"{name}, a step of it, is also an output of the graph"
            if name in needed:
                return f"{name}, a step of it, is what another LayerNorm starts from"
    return None
