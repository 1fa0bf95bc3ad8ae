"""Costs and parts that tests make up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.cost import CommandError, Cost
from benchmarks.part import Part, Turn
from benchmarks.place import Place


def cost(wall_s: float, peak_mb: float = 10.0) -> Cost:
    """Return a cost of so many seconds."""
    return Cost(wall_s, wall_s, peak_mb, peak_mb)


class Sample(Part):
    """A part whose turns cost what it was given, round by round; None fails."""

    name = "cold"
    title = "a sample"
    base = "floor"

    def __init__(self, turns: Mapping[str, list[float | None]], *, ready: bool = True) -> None:
        super().__init__(Place(Path()))
        self._turns, self._ready = turns, ready
        self.order: list[str] = []

    def prepare(self) -> None:
        """Fail unless it is ready."""
        if not self._ready:
            raise CommandError("pip failed", got="status 1\nno such package\n")

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the turns of a round."""
        return {name: self._turn(name, values[number]) for name, values in self._turns.items()}

    def _turn(self, name: str, value: float | None) -> Turn:
        def turn() -> Cost:
            self.order.append(name)
            if value is None:
                raise CommandError("it failed", got="status 2\nout of luck")
            return cost(value)

        return turn
