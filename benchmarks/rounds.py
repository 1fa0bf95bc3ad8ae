"""The interleaved run: in each round every part has its turns, so that a slow hour of the machine meets all alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cost import CommandError
from benchmarks.part import Measured, Part, Turn


def measure(parts: Sequence[Part], rounds: int) -> dict[str, dict[str, Any]]:
    """Return the figures of each part by its name.

    A turn that fails is not run from then on, and its figures say why; the others go on.
    """
    found = {part.name: Measured() for part in parts}
    ready = [part for part in parts if _prepared(part, found[part.name])]
    for number in range(rounds):
        for part in ready:
            for _ in range(part.turns_a_round):
                _turns(part.name, part.turns(number), found[part.name])
    return {part.name: part.figures(found[part.name]) for part in parts}


def _prepared(part: Part, measured: Measured) -> bool:
    """Prepare a part; return whether its turns can be measured."""
    start = time.monotonic()
    try:
        part.prepare()
    except CommandError as error:
        measured.not_run["all"] = _said(error)
        _tell(f"{part.name}: not run, {_said(error)}")
        return False
    _tell(f"{part.name}: prepared in {time.monotonic() - start:.0f} s")
    return True


def _turns(part: str, turns: Mapping[str, Turn], measured: Measured) -> None:
    for name, turn in turns.items():
        if name in measured.not_run:
            continue
        try:
            cost = turn()
        except CommandError as error:
            measured.not_run[name] = _said(error)
            _tell(f"{part} {name}: not run, {_said(error)}")
            continue
        measured.costs.setdefault(name, []).append(cost)
        _tell(f"{part} {name}: {cost.wall_s:.2f} s, {cost.cpu_s:.2f} s of processor, {cost.peak_mb:.0f} MB")


def _said(error: CommandError) -> str:
    """Return the last line that a command printed, which is what it died of."""
    lines = [line for line in str(error.got or error).splitlines() if line.strip()]
    return lines[-1].strip()[:200]


def _tell(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
