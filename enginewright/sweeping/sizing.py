"""How many workers one machine takes: as many as cores, as memory, and as steps that can ever run side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from enginewright.errors import SweepError

UNMEASURED_MB = 6000.0
"""Memory of a worker before networks of these sizes were measured here: a variant at full size takes 4 to 6 GB."""

_SPARE = 0.9
"""The share of free memory that workers may take."""


@dataclass(frozen=True)
class Sizing:
    """The number of workers, threads for each, and why in words.

    memory_mb: to reserve for each; 0 where the user set the number, which nothing overrules.
    """

    workers: int
    threads: int
    why: str
    memory_mb: float


def sizing_of(asked: int | None, peak_mb: float | None, width: int, cores: int, free_mb: float) -> Sizing:
    """Return how many workers run.

    asked: what the user said, which nothing overrules. peak_mb: measured memory of a worker, None if not measured.
    width: variants. cores, free_mb: what this machine has.

    Raises:
        SweepError: if less than one was asked for.
    """
    if asked is not None and asked < 1:
        raise SweepError("a sweep needs a worker", expected="WORKERS=1 or more", got=asked)
    need = peak_mb or UNMEASURED_MB
    by_memory = int(free_mb * _SPARE / need)
    count = asked or max(1, min(cores, by_memory, width))
    memory = f"{need / 1000:.1f} GB each {'measured' if peak_mb else 'assumed, not measured yet'}"
    why = "as asked" if asked else f"{cores} cores, {free_mb / 1000:.1f} GB free, {memory}"
    return Sizing(count, max(1, cores // count), why, 0.0 if asked else need)


def cores_here() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_mb_here() -> float:
    """Return the free memory in MB, of this control group where it has a limit of its own."""
    import psutil  # type: ignore[import-untyped]

    free = float(psutil.virtual_memory().available)
    limit, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    if limit is not None and used is not None:
        free = min(free, limit - used)
    return free / 1e6


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None
