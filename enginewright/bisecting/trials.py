"""Tests of sets of nodes: each is made once, and there is a bound on how many are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

Item = TypeVar("Item")


class Trials:
    """A test of which sets pass, that remembers its answers.

    After `most` of them every new set fails, and `spent` says so. tick: takes how many were made.
    """

    def __init__(
        self, test: Callable[[frozenset[str]], bool], most: int, tick: Callable[[float], None] = lambda done: None
    ) -> None:
        self._test, self._most, self._tick = test, most, tick
        self._known: dict[frozenset[str], bool] = {}
        self.spent = False

    def __len__(self) -> int:
        return len(self._known)

    def __call__(self, chosen: frozenset[str]) -> bool:
        """Return whether the set passes; False for a set that is new when the trials are spent."""
        if chosen not in self._known:
            if len(self._known) >= self._most:
                self.spent = True
                return False
            self._known[chosen] = self._test(chosen)
            self._tick(len(self._known))
        return self._known[chosen]


def smallest(items: Sequence[Item], passes: Callable[[Sequence[Item]], bool]) -> list[Item]:
    """Return a part of `items`, which pass together, that passes and of which no single item can be left out.

    Delta debugging (Zeller and Hildebrandt, IEEE TSE 28, 2002): halves first, then ever smaller pieces and what is
    left without each. Where `passes` stops to answer yes, the best part so far is returned.
    """
    found, pieces = list(items), 2
    while len(found) > 1:
        parts = _split(found, pieces)
        part = next((part for part in parts if passes(part)), None)
        rests = ([item for other in parts if other is not part for item in other] for part in parts)
        if part is not None:
            found, pieces = part, 2
        elif pieces > 2 and (rest := next((rest for rest in rests if passes(rest)), None)) is not None:
            found, pieces = rest, pieces - 1
        elif pieces < len(found):
            pieces = min(2 * pieces, len(found))
        else:
            break
    return found


def _split(items: Sequence[Item], pieces: int) -> list[list[Item]]:
    """Return consecutive pieces of nearly equal length, none empty."""
    ends = [len(items) * number // pieces for number in range(pieces + 1)]
    return [list(items[start:end]) for start, end in pairwise(ends) if end > start]
