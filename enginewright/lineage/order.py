"""The order of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from heapq import heappop, heappush


def in_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names, each after those that it needs, and otherwise as they are given."""
    names = list(needs)
    place = {name: number for number, name in enumerate(names)}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    found: list[str] = []
    ready: list[int] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, place[name])
        found.append(names[heappop(ready)])
        sorter.done(found[-1])
    return found
