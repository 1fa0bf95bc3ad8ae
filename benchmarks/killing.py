"""Kills a worker of a running sweep, as a machine that fails would."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from enginewright.artifacts import read_json

_WORKER = "enginewright.sweeping.worker"
_WAIT_S = 4 * 3600


def kill_a_worker_half_way(folder: Path, clones: Path) -> str:
    """Wait until half of the variants of the sweep in `folder` are there, then kill -9 a worker; return which.

    clones: folder of the workers' clones, by which they are told from those of other sweeps.
    """
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        time.sleep(1)
        settled, count = _settled(folder / "results.json")
        workers = _workers(clones.resolve())
        if count and settled == count:
            return "none: the sweep was over before"
        if 2 * settled >= count and count and workers:
            os.kill(workers[0].pid, signal.SIGKILL)
            return f"a worker when {settled} of {count} variants were there"
    return "none"


def _settled(path: Path) -> tuple[int, int]:
    if not path.is_file():
        return 0, 0
    rows = read_json(path)["variants"]
    return sum(row["state"] != "pending" for row in rows), len(rows)


def _workers(root: Path) -> list[psutil.Process]:
    """Return the worker processes in clones below `root`."""
    found = []
    for process in psutil.process_iter():
        try:
            if _WORKER in process.cmdline() and root in Path(process.cwd()).parents:
                found.append(process)
        except psutil.Error:
            continue
    return found
