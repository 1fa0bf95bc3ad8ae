"""Contestants in turns: each round times every one for a short while, so that drift of the machine hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def in_turns(
    names: Sequence[str], rounds: int, timed: Callable[[str], list[float] | None]
) -> dict[str, list[list[float]]]:
    """Return the times in ms of each contestant by round; one for whom `timed` returns None is left out from then on.

    Every round begins with another one, so that none always follows the same.
    """
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    alive = list(names)
    for number in range(rounds):
        first = number % len(alive) if alive else 0
        for name in (*alive[first:], *alive[:first]):
            times = timed(name)
            if times is None:
                alive.remove(name)
            else:
                found[name].append(times)
    return found


def summary(rounds: Sequence[Sequence[float]]) -> dict[str, float | list[float]]:
    """Return median, 10th and 90th percentile of all times in ms, and each round's median."""
    times = np.concatenate([np.asarray(times) for times in rounds])
    low, middle, high = (float(value) for value in np.percentile(times, (10, 50, 90)))
    return {"median": middle, "p10": low, "p90": high, "rounds": [float(np.median(times)) for times in rounds]}
