"""Where a call's time goes: its kernels summed by name, against the least time that its work can take."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TAIL = re.compile(r"<.*|\(.*|_\d+x\d+.*")
"""Template arguments, parameters and tile sizes: variants of one kernel."""
_SHOWN = 14


def by_name(kernels: Sequence[Sequence[Any]]) -> list[tuple[str, int, float]]:
    """Return (name, launches, us) of kernels as (name, start, us), the longest in sum first."""
    sums: dict[str, list[float]] = defaultdict(list)
    for name, _, length in kernels:
        sums[_TAIL.sub("", str(name).removeprefix("void ")).strip() or "(anonymous)"].append(float(length))
    rows = ((name, len(lengths), sum(lengths)) for name, lengths in sums.items())
    return sorted(rows, key=lambda row: -row[2])


def lines(name: str, call: Mapping[str, Any], wall_ms: float, floor_ms: float | None) -> Iterator[str]:
    """Yield the Markdown of one contestant: names from the longest on, the rest as one line, and what is no kernel."""
    rows = by_name(call["kernels"])
    rest, wall = rows[_SHOWN:], wall_ms * 1e3
    yield from (f"### {name}", "", "| kernels | launches | us | share |", "| --- | --- | --- | --- |")
    for kernel, count, length in rows[:_SHOWN]:
        yield f"| `{kernel[:80]}` | {count} | {length:.1f} | {length / wall:.1%} |"
    if rest:
        length = sum(row[2] for row in rest)
        yield f"| {len(rest)} more names | {sum(row[1] for row in rest)} | {length:.1f} | {length / wall:.1%} |"
    idle = wall - sum(row[2] for row in rows)
    yield f"| between kernels, and starting the call | | {idle:.1f} | {idle / wall:.1%} |"
    yield f"| the call | {sum(row[1] for row in rows)} | {wall:.1f} | |"
    yield from ([f"| the floor | | {floor_ms * 1e3:.1f} | {floor_ms / wall_ms:.1%} |"] if floor_ms else [])
    yield ""
