"""What looks like a LayerNorm and was not read as one, so that a user is told of it instead of missing it in a count.

Looked for is the outline alone: a difference from its own mean, whose square, reduced and under a root, divides it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from onnx import NodeProto

from enginewright.graphs.layernorm_forms.reading import Reading
from enginewright.graphs.layernorm_forms.scope import Scope

_REDUCING = {"ReduceMean", "ReduceSum"}
_PASSING = {"Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Div", "Mul", "Neg"}
_BETWEEN = {*_REDUCING, *_PASSING, "Pow", "Add", "Sub", "Max", "Clip", "Relu", "Abs", "Reciprocal", "Sqrt"}
_ROOTS = (0.5, -0.5)
_MOST_STEPS = 14
"""Nodes from the difference to the quotient; the longest spelling that is known has nine."""

Path = tuple[int, ...]


def unmatched(scope: Scope, reading: Reading, known: Collection[int]) -> list[str]:
    """Return a sentence for each outline of a LayerNorm whose last node is not in `known`, the nodes of those read."""
    found = []
    for index, node in enumerate(scope.graph.node):
        if node.op_type in ("Sub", "Add") and _is_difference(scope, node):
            path = _to_quotient(scope, reading, index)
            if path and path[-1] not in known:
                found.append(_sentence(scope, reading, path))
    return found


def _sentence(scope: Scope, reading: Reading, path: Path) -> str:
    nodes = [scope.graph.node[index] for index in path]
    terms = [reading.term(node.output[0]) for node in nodes]
    start = terms[0].of if terms[0] else None
    strange = next((node for node, term in zip(nodes, terms, strict=True) if not term or term.of != start), nodes[-1])
    return (
        f"{nodes[-1].output[0]}: it looks like a LayerNorm, but {strange.op_type} {strange.name or strange.output[0]} "
        f"is no step of one that is known"
    )


def _is_difference(scope: Scope, node: NodeProto) -> bool:
    """Return whether a node takes from a value what was reduced from it."""
    first, second = node.input
    return _reduced_from(scope, second, first) or _reduced_from(scope, first, second)


def _reduced_from(scope: Scope, name: str, source: str, steps: int = 4, reduced: bool = False) -> bool:
    if reduced and name == source:
        return True
    index = scope.makers.get(name)
    if index is None or not steps:
        return False
    node = scope.graph.node[index]
    if node.op_type not in _REDUCING | _PASSING:
        return False
    reduces = reduced or node.op_type in _REDUCING
    return any(_reduced_from(scope, read, source, steps - 1, reduces) for read in node.input if read)


def _to_quotient(scope: Scope, reading: Reading, start: int) -> Path | None:
    """Return the shortest way from a difference through a reduction and a root to what it is divided by, or None."""
    divided = set(_divided(scope, start))
    pending: deque[tuple[Path, bool, bool]] = deque([((start,), False, False)])
    seen: set[tuple[int, bool, bool]] = set()
    while pending:
        path, reduced, rooted = pending.popleft()
        name = scope.graph.node[path[-1]].output[0]
        for index in scope.readers.get(name, []) if len(path) < _MOST_STEPS else []:
            node = scope.graph.node[index]
            others = {reading.source(read) for read in node.input if read and read != name}
            if rooted and node.op_type in ("Div", "Mul") and others & divided:
                return (*path, index)
            state = index, reduced or node.op_type in _REDUCING, rooted or (reduced and _is_root(scope, node))
            if node.op_type in _BETWEEN and state not in seen:
                seen.add(state)
                pending.append(((*path, index), *state[1:]))
    return None


def _divided(scope: Scope, start: int) -> Iterator[str]:
    """Yield a difference, others of the same two values, and what each is multiplied to by another value."""
    given = scope.graph.node[start]
    for node in scope.graph.node:
        if node.op_type == given.op_type and set(node.input) == set(given.input):
            yield node.output[0]
            for index in scope.readers.get(node.output[0], []):
                reader = scope.graph.node[index]
                if reader.op_type == "Mul" and len(set(reader.input)) > 1:
                    yield reader.output[0]


def _is_root(scope: Scope, node: NodeProto) -> bool:
    return node.op_type == "Sqrt" or (node.op_type == "Pow" and scope.number(node.input[1]) in _ROOTS)
