"""Processes that end with whoever started them, however that ends: none lives on to race the next run.

Linux does it (prctl(2), PR_SET_PDEATHSIG); elsewhere a killed parent leaves its children to finish.

`python -m enginewright.lifeline MODULE ARGUMENTS` runs any module that way, as `python -m MODULE` does: for `make`, and
for modules of other projects.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import select
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

_PARENT = "ENGINEWRIGHT_PARENT"
"""Environment variable: the process that a child ends with."""

STAGE = "DVC_STAGE"
"""Environment variable: the stage that DVC runs."""

_PR_SET_PDEATHSIG = 1


def bound(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child that calls `end_with_parent`."""
    return {**(os.environ if environment is None else environment), _PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """Let this process be killed when the one that started it with `bound` ends. Does nothing without `bound`."""
    if parent := os.environ.pop(_PARENT, None):
        end_with(int(parent))


def end_with(parent: int) -> None:
    """Let this process be killed when `parent`, which started it, ends; it may have ended already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def end_with_dvc() -> None:
    """Let a stage that DVC runs be killed when DVC ends, which alone would leave it running beside the next run."""
    if sys.platform != "linux" or STAGE not in os.environ:
        return
    parent, owner = os.getppid(), dvc_process()
    if os.getpgid(0) != _group_of(owner):  # DVC has ended already, and something else has taken this process over
        os.kill(os.getpid(), signal.SIGKILL)
    end_with(parent)
    if owner != parent:
        _watch(owner)


def dvc_process() -> int:
    """Return the process of DVC: the parent, or the nearest one beyond shells that were started for this stage."""
    found, stage = os.getppid(), os.environ.get(STAGE)
    while stage is not None and f"{STAGE}={stage}" in _environment_of(found):
        found = _parent_of(found)
    return found


def _group_of(process: int) -> int:
    try:
        return os.getpgid(process)
    except OSError:
        return -1


def _environment_of(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/environ").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return []


def _parent_of(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _watch(process: int) -> None:
    """Kill this process once another one that is not its parent ends."""
    try:
        ended = os.pidfd_open(process)
    except OSError:
        os.kill(os.getpid(), signal.SIGKILL)
        return

    def wait() -> None:
        select.select([ended], [], [])
        os.kill(os.getpid(), signal.SIGKILL)

    Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    if "MAKELEVEL" in os.environ:
        end_with(os.getppid())
    end_with_parent()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
