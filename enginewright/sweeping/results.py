"""`sweeps/<name>/results.json`: what became of every variant, written anew after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json

FORMAT = 1


class State(Enum):
    """What became of a variant.

    done: a step ran for it in this sweep, and all ended well. cached: nothing had to run. refused: the configuration,
    or the tools, do not take that combination. failed: a stage ended with an error, or a gate was breached. not_run: it
    was never started, or lacks something. pending: the sweep is not over.
    """

    done = "done"
    cached = "cached"
    refused = "refused"
    failed = "failed"
    not_run = "not_run"
    pending = "pending"


GOOD = (State.done, State.cached)


@dataclass
class Row:
    """A variant: its swept overrides, its state and why, its experiment's commit, seconds and steps."""

    name: str
    overrides: list[str]
    state: State = State.pending
    reason: str | None = None
    experiment: str | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)

    def as_plain(self) -> dict[str, Any]:
        """Return the row as results.json has it; `seconds` is the time of its steps that ran, shared ones in full."""
        seconds = round(sum(step["seconds"] for step in self.steps if step["ran"]), 3)
        return {**vars(self), "state": self.state.value, "seconds": seconds}


@dataclass
class Results:
    """All rows by name, and facts of the sweep that stay the same."""

    path: Path
    facts: Mapping[str, Any]
    rows: dict[str, Row]
    seconds: float = 0.0

    def write(self) -> None:
        """Write results.json, atomically."""
        variants = [row.as_plain() for row in self.rows.values()]
        write_json(self.path, {"format": FORMAT, **self.facts, "seconds": round(self.seconds, 1), "variants": variants})

    def count(self, *states: State) -> int:
        """Return how many rows are in one of the states."""
        return sum(row.state in states for row in self.rows.values())
