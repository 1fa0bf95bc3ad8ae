"""Reads a graph from its first node to its last, and says of each value what it is in a LayerNorm, if anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import onnx

from enginewright.graphs.layernorm_forms.axes import attribute, axes_of
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.layernorm_forms.steps import attached, joined, one_over, with_number
from enginewright.graphs.layernorm_forms.terms import POWERS, REDUCED, UNARY, Role, Term
from enginewright.graphs.layernorm_forms.weights import is_fitting


class Reading:
    """The terms of one scope, by the name of the value."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.terms: dict[str, Term] = {}
        for index, node in enumerate(scope.graph.node):
            read = _READERS.get(node.op_type) if node.domain in ("", "ai.onnx") else None
            term = read(self, node) if read and node.input and node.input[0] else None
            if term:
                self.terms[node.output[0]] = term.through(index)

    def root(self, name: str) -> str:
        """Return the value that `name` is another name of, by Identity."""
        node = self._maker(name)
        return self.root(node.input[0]) if node and node.op_type == "Identity" else name

    def source(self, name: str) -> str:
        """Return the value that `name` is, but for casts."""
        node = self._maker(name)
        return self.source(node.input[0]) if node and node.op_type in ("Identity", "Cast") else name

    def _maker(self, name: str) -> onnx.NodeProto | None:
        index = self.scope.makers.get(name)
        return None if index is None else self.scope.graph.node[index]

    def term(self, name: str) -> Term | None:
        """Return the term of a value, or None."""
        return self.terms.get(name)

    def _unary(self, node: onnx.NodeProto) -> Term | None:
        term = self.term(node.input[0])
        role = UNARY.get((node.op_type, term.role)) if term and term.times == 1 else None
        return replace(term, role=role) if term and role else None

    def _same(self, node: onnx.NodeProto) -> Term | None:
        return self.term(node.input[0])

    def _cast(self, node: onnx.NodeProto) -> Term | None:
        """Pass a term on, marked unless the type stays. What is normalised already may be cast: its chain ends here."""
        term = self.term(node.input[0])
        if term is None or self.scope.kind(node.input[0]) == attribute(node, "to", None):
            return term
        return None if term.role is Role.normal else replace(term, cast=term.cast or node.name or node.output[0])

    def _pow(self, node: onnx.NodeProto) -> Term | None:
        exponent = self.scope.number(node.input[1])
        return None if exponent is None else self._power(node.input[0], exponent)

    def _power(self, name: str, exponent: float) -> Term | None:
        term = self.term(name)
        if term and term.times == 1 and (role := POWERS.get((exponent, term.role))):
            return replace(term, role=role)
        role = POWERS.get((exponent, Role.data))
        return Term(role, self.root(name)) if role else None

    def _mean(self, node: onnx.NodeProto) -> Term | None:
        """Read a ReduceMean: of squares it is a variance or half of one, of anything else the mean of a new x."""
        name, kept = self.root(node.input[0]), bool(attribute(node, "keepdims", 1))
        axes = axes_of(node, self.scope, self.scope.rank(name))
        if axes is None:
            return None
        term = self.term(node.input[0])
        if term and term.times == 1 and term.role is Role.square:
            return replace(term, role=Role.mean_square, axes=axes, kept=kept)
        if term and term.times == 1 and term.role is Role.centred_square and term.axes == axes:
            return replace(term, role=Role.variance, kept=kept)
        return Term(Role.mean, name, axes, kept)

    def _sum(self, node: onnx.NodeProto) -> Term | None:
        """Read a ReduceSum as a mean that is still to be divided by the number of its elements."""
        mean, shape = self._mean(node), self.scope.shape(node.input[0])
        if mean is None or shape is None:
            return None
        count = 1
        for axis in mean.axes or ():
            count *= shape[axis] or 0
        return replace(mean, times=count) if count else None

    def _reshaped(self, node: onnx.NodeProto) -> Term | None:
        """Pass on what has one number a row, if it comes out with the reduced axes in place or spread over x."""
        term = self.term(node.input[0])
        if term is None or term.role not in REDUCED or term.axes is None or term.scale is not None:
            return None
        if node.op_type == "Unsqueeze" and axes_of(node, self.scope, None) == term.axes and not term.kept:
            return replace(term, kept=True)
        whole, found = self.scope.shape(term.of), self.scope.shape(node.output[0])
        if whole is None or found is None or None in whole or None in found:
            return None
        rows = tuple(1 if axis in term.axes else size for axis, size in enumerate(whole))
        if node.op_type == "Expand":
            return term if term.kept and found in (rows, whole) else None
        return replace(term, kept=True) if found == rows else None

    def _clipped(self, node: onnx.NodeProto) -> Term | None:
        """Pass on a variance that is clipped below at zero, which it never is under."""
        terms = [term for name in node.input if (term := self.term(name)) and term.role is Role.variance]
        limits = [self.scope.number(name) for name in node.input if name and self.term(name) not in terms]
        return terms[0] if len(terms) == 1 and limits == [0.0] else None

    def _binary(self, node: onnx.NodeProto) -> Term | None:
        return next((term for term in self._binary_terms(node) if term), None)

    def _binary_terms(self, node: onnx.NodeProto) -> Iterator[Term | None]:
        operator, (first, second) = node.op_type, node.input
        if operator == "Mul" and self.root(first) == self.root(second):
            yield self._power(first, 2.0)
        for one, other in self._orders(operator, first, second):
            yield joined(operator, self._sides(one, other))
            if term := self.term(one):
                yield with_number(operator, term, self.scope.number(other))
            if operator == "Div" and (term := self.term(other)):
                yield one_over(term, self.scope.number(one))
            yield attached(operator, (self.term(one), one), (self.term(other), other), self._fits)

    @staticmethod
    def _orders(operator: str, first: str, second: str) -> Iterator[tuple[str, str]]:
        yield first, second
        if operator in ("Add", "Mul"):
            yield second, first

    def _sides(self, first: str, second: str) -> Iterator[tuple[Term, Term]]:
        """Yield the ways to see two operands as terms of one x, one of them as x itself first."""
        one, other = self.term(first), self.term(second)
        if other and (data := self._as_data(first, other)):
            yield data, other
        if one and (data := self._as_data(second, one)):
            yield one, data
        if one and other:
            yield one, other

    def _as_data(self, name: str, term: Term) -> Term | None:
        """Return `name` as the x of `term`; as another cast of it, marked so that it is not taken for the same."""
        if self.root(name) == term.of:
            return Term(Role.data, term.of, term.axes)
        if self.source(name) == self.source(term.of):
            return Term(Role.data, term.of, term.axes, cast=name)
        return None

    def _fits(self, term: Term, name: str) -> bool:
        return is_fitting(self.scope, term, name)


_READERS: dict[str, Callable[[Reading, onnx.NodeProto], Term | None]] = {
    "Identity": Reading._same,
    "Cast": Reading._cast,
    "Pow": Reading._pow,
    "ReduceMean": Reading._mean,
    "ReduceSum": Reading._sum,
    "Max": Reading._clipped,
    "Clip": Reading._clipped,
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Expand"), Reading._reshaped),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), Reading._binary),
    **{operator: Reading._unary for operator, _ in UNARY},
}
"""What reads a node of each operator. One that is not here ends every chain."""
