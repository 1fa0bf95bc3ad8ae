"""Numbers and verdicts in words that a person reads at a glance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NOTHING = "—"
"""What stands where a number does not exist."""

STATES = {"passed": "passed", "failed": "failed", "not_run": "not run", "done": "done", "missing": "no result"}
"""Each state in words. `done` is a stage that judges nothing; `missing` one that wrote no metrics."""


def count(value: Any) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,}" if isinstance(value, int) else NOTHING


def many(number: int, noun: str) -> str:
    """Return a number of things: `1 variant`, `2 variants`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def small(value: Any) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}" if isinstance(value, int | float) else NOTHING


def share(value: Any) -> str:
    """Return a share of 1 in per cent, rounded down: only the whole is 100 %."""
    return f"{math.floor(value * 1000) / 10:.1f} %" if isinstance(value, int | float) else NOTHING


def cosine(value: Any) -> str:
    """Return a cosine with six decimals, rounded down: only 1 is 1.000000."""
    return f"{math.floor(value * 1e6) / 1e6:.6f}" if isinstance(value, int | float) else NOTHING


def megabytes(value: Any) -> str:
    """Return megabytes with one decimal."""
    return f"{value:,.1f} MB" if isinstance(value, int | float) else NOTHING


def state_of(metrics: Mapping[str, Any]) -> str:
    """Return the key of `STATES` for a stage's or an artifact's metrics."""
    return str(metrics["verdict"]) if metrics.get("verdict") in STATES else "done"
