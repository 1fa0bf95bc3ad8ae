"""What a value is in the arithmetic of a LayerNorm, and how operators lead from one such role to the next.

Ba, Kiros, Hinton, "Layer Normalization", 2016: over some axes of x,

    y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) * scale + bias

Exporters spell this in many ways. Instead of a list of whole patterns there are two small tables of steps, so that
every combination of spellings is recognised, and any step that is in neither table ends the chain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto


class Role(Enum):
    """What a value is. m is the mean of x, v its variance; scale may already be in what holds 1/sqrt."""

    data = auto()  # x itself
    square = auto()  # x^2
    mean = auto()  # m
    negative_mean = auto()  # -m
    centred = auto()  # x - m
    reversed = auto()  # m - x
    centred_square = auto()  # (x - m)^2
    mean_square = auto()  # mean(x^2)
    squared_mean = auto()  # m^2
    variance = auto()  # v
    padded = auto()  # v + eps
    deviation = auto()  # sqrt(v + eps)
    inverse = auto()  # 1 / sqrt(v + eps)
    scaled_data = auto()  # x / sqrt(v + eps)
    scaled_mean = auto()  # m / sqrt(v + eps)
    offset = auto()  # bias - m / sqrt(v + eps)
    normal = auto()  # (x - m) / sqrt(v + eps)


REDUCED = {
    Role.mean, Role.negative_mean, Role.mean_square, Role.squared_mean, Role.variance, Role.padded, Role.deviation,
    Role.inverse,
}  # fmt: skip
"""Roles of values with one number for each row, where the reduced axes have size 1 or are gone."""


@dataclass(frozen=True)
class Term:
    """A value's role for one x.

    of: the name of x. axes: those that are reduced, None before they are known. kept: whether they are still there,
    with size 1. times: of a sum that is not yet divided, the number of its elements. scale, bias: names of the values
    that the term holds already. nodes: indices of the nodes that led here from x. cast: a Cast on the way, by name.
    """

    role: Role
    of: str
    axes: tuple[int, ...] | None = None
    kept: bool = True
    times: int = 1
    epsilon: float = 0.0
    scale: str | None = None
    bias: str | None = None
    nodes: frozenset[int] = frozenset()
    cast: str | None = None

    def through(self, index: int) -> Term:
        """Return the same term one node later."""
        return replace(self, nodes=self.nodes | {index})


UNARY = {
    ("Sqrt", Role.variance): Role.deviation,
    ("Sqrt", Role.padded): Role.deviation,
    ("Reciprocal", Role.deviation): Role.inverse,
    ("Neg", Role.mean): Role.negative_mean,
    ("Neg", Role.scaled_mean): Role.offset,
    ("Relu", Role.variance): Role.variance,
    ("Abs", Role.variance): Role.variance,
}
"""(operator, role) to role. A variance is never negative: what clips it at zero changes nothing."""

POWERS = {
    (2.0, Role.data): Role.square,
    (2.0, Role.mean): Role.squared_mean,
    (2.0, Role.centred): Role.centred_square,
    (2.0, Role.reversed): Role.centred_square,
    (0.5, Role.variance): Role.deviation,
    (0.5, Role.padded): Role.deviation,
    (-0.5, Role.variance): Role.inverse,
    (-0.5, Role.padded): Role.inverse,
    (-1.0, Role.deviation): Role.inverse,
}
"""(exponent, role) to role."""

BINARY = {
    ("Sub", Role.data, Role.mean): Role.centred,
    ("Sub", Role.mean, Role.data): Role.reversed,
    ("Add", Role.data, Role.negative_mean): Role.centred,
    ("Sub", Role.mean_square, Role.squared_mean): Role.variance,
    ("Mul", Role.centred, Role.centred): Role.centred_square,
    ("Div", Role.centred, Role.deviation): Role.normal,
    ("Mul", Role.centred, Role.inverse): Role.normal,
    ("Mul", Role.data, Role.inverse): Role.scaled_data,
    ("Div", Role.data, Role.deviation): Role.scaled_data,
    ("Mul", Role.mean, Role.inverse): Role.scaled_mean,
    ("Div", Role.mean, Role.deviation): Role.scaled_mean,
    ("Sub", Role.scaled_data, Role.scaled_mean): Role.normal,
    ("Add", Role.scaled_data, Role.offset): Role.normal,
}
"""(operator, first role, second role) to role, for two terms of the same x; Add and Mul take them in either order."""
