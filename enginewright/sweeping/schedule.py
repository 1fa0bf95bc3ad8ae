"""Which step runs next. Steps that variants share come first, the longest way to an end before others; then variant by
variant, so that whole variants are there early, each on the worker that has its files already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from enginewright.sweeping.ledger import kind_of
from enginewright.sweeping.plan import Plan, Step

LIVES = 3
"""Workers that a step may cost before it counts as failed."""

_GUESS_S = 5.0
"""Seconds of a kind of step that never ran."""


@dataclass
class Schedule:
    """What is done, what runs and what is still wanted, by key.

    seconds: what kinds of steps took before. done, running, dead: keys; a dead step failed, and so did its variants.
    """

    plan: Plan
    seconds: Mapping[str, float]
    done: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    losses: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._order = {name: number for number, name in enumerate(self.plan.outlines)}
        self._ways = self._longest_ways()
        self._lost_variants: set[str] = set()

    def wanted(self) -> list[Step]:
        """Return the steps that are not done, for variants that have not failed."""
        return [step for key, step in self.plan.steps.items() if key not in self.done and self._alive(step)]

    def ready(self) -> list[Step]:
        """Return the wanted steps that can start now."""
        return [step for step in self.wanted() if step.key not in self.running and self.done.issuperset(step.needs)]

    def take(self, last_variant: str | None) -> Step | None:
        """Return the step that a free worker should run, as one that runs; `last_variant` is what it ran before."""
        step = min(self.ready(), key=lambda step: self._rank(step, last_variant), default=None)
        if step:
            self.running.add(step.key)
        return step

    def finish(self, key: str) -> None:
        """Count a running step as done."""
        self.running.discard(key)
        self.done.add(key)

    def fail(self, key: str) -> None:
        """Count a running step as failed."""
        self.running.discard(key)
        self.dead.add(key)
        self._lost_variants.update(self.plan.steps[key].variants)

    def lose(self, key: str) -> bool:
        """Count a step whose worker was lost; return whether it may run again."""
        self.running.discard(key)
        self.losses[key] = self.losses.get(key, 0) + 1
        return self.losses[key] < LIVES

    def alive(self, variant: str) -> bool:
        """Return whether none of a variant's steps failed."""
        return variant not in self._lost_variants

    def seconds_left(self, workers: int) -> float:
        """Return about how long the wanted steps take so many workers: all of them, and the longest way."""
        steps = self.wanted()
        longest = max((self._ways[step.key] for step in steps), default=0.0)
        return max(sum(map(self._guess, steps)) / max(1, workers), longest)

    def _alive(self, step: Step) -> bool:
        return any(self.alive(name) for name in step.variants)

    def _rank(self, step: Step, last_variant: str | None) -> tuple[bool, float, float]:
        if len(step.variants) > 1:
            return False, -self._ways[step.key], 0
        return True, step.variant != last_variant, self._order[step.variant]

    def _longest_ways(self) -> dict[str, float]:
        """Return for each step the seconds from its start to the end of the longest chain of steps behind it."""
        ways: dict[str, float] = {}
        for step in reversed(list(self.plan.steps.values())):
            ways[step.key] = ways.get(step.key, 0.0) + self._guess(step)
            for need in step.needs:
                ways[need] = max(ways.get(need, 0.0), ways[step.key])
        return ways

    def _guess(self, step: Step) -> float:
        return self.seconds.get(kind_of(step.outline.name), _GUESS_S)


def chain(schedule: Schedule, first: Step) -> Iterator[Step]:
    """Yield `first`, then what follows from it: steps of the same variants that wait for nothing but what is in it.

    For engines where every message is a job of its own and costs seconds.
    """
    taken = {first.key}
    yield first
    for step in schedule.wanted():
        follows = not taken.isdisjoint(step.needs) and (schedule.done | taken).issuperset(step.needs)
        if follows and step.key not in schedule.running | taken and step.variants == first.variants:
            schedule.running.add(step.key)
            taken.add(step.key)
            yield step
