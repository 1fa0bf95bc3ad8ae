"""Steps of two operands: two terms of one x, a term and a number, a term and a weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from enginewright.graphs.layernorm_forms.terms import BINARY, REDUCED, Role, Term

_ROUNDING = 1e-6
"""How far a stored 1/n may be from 1/n: half a unit in the last place of fp32, and some."""


def joined(operator: str, sides: Iterable[tuple[Term, Term]]) -> Term | None:
    """Return what two terms of one x make, for the first pair of `sides` that the table knows."""
    for one, other in sides:
        role = BINARY.get((operator, one.role, other.role))
        if role and _agree(one, other) and _placed(role, one, other):
            return replace(
                one,
                role=role,
                kept=one.kept and other.kept,
                epsilon=one.epsilon or other.epsilon,
                scale=one.scale or other.scale,
                bias=one.bias or other.bias,
                nodes=one.nodes | other.nodes,
                cast=one.cast or other.cast,
            )
    return None


def _agree(one: Term, other: Term) -> bool:
    """Return whether two terms are of one x and its axes, no undivided sums, and divided and scaled alike if at all."""
    same = one.of == other.of and one.axes == other.axes and one.axes is not None
    if not same or one.times != 1 or other.times != 1:
        return False
    divided = {Role.scaled_data, Role.scaled_mean, Role.offset}
    if not {one.role, other.role} <= divided:
        return True
    return (one.epsilon, one.scale) == (other.epsilon, other.scale)


def _placed(role: Role, one: Term, other: Term) -> bool:
    """Return whether two shapes go together: without the reduced axes in place, rows only go with rows."""
    return one.kept == other.kept if role in REDUCED else one.kept and other.kept


def one_over(term: Term, number: float | None) -> Term | None:
    """Return what dividing a number by a term makes."""
    return replace(term, role=Role.inverse) if number == 1.0 and term.role is Role.deviation else None


def with_number(operator: str, term: Term, number: float | None) -> Term | None:
    """Return what `term operator number` makes."""
    if number is None:
        return None
    if term.times != 1:
        factor = {"Mul": number, "Div": 1 / number if number else 0.0}.get(operator, 0.0)
        return replace(term, times=1) if math.isclose(factor * term.times, 1, rel_tol=_ROUNDING) else None
    padding = operator == "Add" and term.role is Role.variance and 0 <= number < math.inf
    return replace(term, role=Role.padded, epsilon=number) if padding else None


Side = tuple[Term | None, str]


def attached(operator: str, one: Side, other: Side, fits: Callable[[Term, str], bool]) -> Term | None:
    """Return a term with a weight on it. A normal takes one that fits the operator; in other places any value will do.

    fits: whether a value can be the scale or the bias of a term's LayerNormalization.
    """
    term, name = one[0], other[1]
    if operator == "Sub" and other[0] and other[0].role is Role.scaled_mean and one[0] is None:
        return replace(other[0], role=Role.offset, bias=one[1])
    if term is None or other[0] is not None:
        return None
    if operator == "Mul" and term.scale is None and term.bias is None:
        taken = term.role is Role.inverse or (term.role is Role.normal and fits(term, name))
        return replace(term, scale=name) if taken else None
    if operator == "Add" and term.bias is None:
        taken = term.role is Role.offset or (term.role is Role.normal and fits(term, name))
        return replace(term, bias=name) if taken else None
    return None
