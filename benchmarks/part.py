"""A part of the benchmark: turns that are measured one after another, round by round, and what they say together."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.cost import Cost
from benchmarks.place import Place

Turn = Callable[[], Cost]


@dataclass
class Measured:
    """What the turns of a part cost, round by round, by name; and why a turn was not run."""

    costs: dict[str, list[Cost]] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)


class Part(ABC):
    """One measurement.

    title: what is measured, in words. base: the turn that all others are compared with. turns_a_round: how often each
    turn is measured in a round.
    """

    name: str
    title: str
    base: str
    turns_a_round = 1

    def __init__(self, place: Place) -> None:
        self.place = place

    def prepare(self) -> None:  # noqa: B027 - most parts need nothing
        """Do what the turns need and what is not measured."""

    @abstractmethod
    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the turns of round `number`, in order."""

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return further figures of this part."""
        del measured
        return {}

    def ratios(self, measured: Measured) -> dict[str, float]:
        """Return further ratios, of what is no turn."""
        del measured
        return {}

    def figures(self, measured: Measured) -> dict[str, Any]:
        """Return the medians of each turn, and those of its ratios to the base's of the same round.

        `ratio` is of wall time. `cpu_ratio` is of processor time, which says what running side by side hides.
        """
        base = measured.costs.get(self.base, [])
        found: dict[str, Any] = {"title": self.title}
        found |= {name: medians(costs) for name, costs in measured.costs.items()}
        if measured.not_run:
            found["not_run"] = measured.not_run
        others = [name for name in measured.costs if name != self.base]
        found["ratio"] = {name: ratio(measured.costs[name], base) for name in others if base} | self.ratios(measured)
        found["cpu_ratio"] = {name: ratio(measured.costs[name], base, "cpu_s") for name in others if base}
        return {**found, **self.details(measured)}


def medians(costs: Sequence[Cost]) -> dict[str, float]:
    """Return the median of each measure."""
    rows = [asdict(cost) for cost in costs]
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def ratio(costs: Sequence[Cost], base: Sequence[Cost], measure: str = "wall_s") -> float:
    """Return the median of the ratios of two turns, each pair of one round."""
    pairs = zip(costs, base, strict=False)  # a turn that failed once has fewer
    found: list[float] = [getattr(one, measure) / getattr(other, measure) for one, other in pairs]
    return round(statistics.median(found), 3)
