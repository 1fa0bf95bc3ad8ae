"""Memory of a process group: the worker, DVC in it, the stage that it runs and the server of shared imports."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

_EVERY_S = 2.0
"""Reading the maps of a process of gigabytes takes milliseconds; stages hold their peak for longer than this."""

_PROCESSES = Path("/proc")


class Peak:
    """Samples the group's memory while its block runs; `mb` is the largest sum, in MB, 0 where the system has no /proc.

    Proportional set sizes: pages that forks share count once.
    """

    def __init__(self) -> None:
        self.mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.mb = max(self.mb, group_mb(os.getpgid(0)))


def group_mb(group: int) -> float:
    """Return the memory of a process group in MB."""
    if not _PROCESSES.is_dir():
        return 0.0
    members = [path for path in _PROCESSES.iterdir() if path.name.isdigit() and _group_of(path) == group]
    return sum(map(_proportional_kb, members)) / 1000


def _group_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, IndexError, ValueError):
        return None


def _proportional_kb(process: Path) -> float:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1.024 for line in lines if line.startswith("Pss:")), 0.0)
