"""`make repro`: wait for another one in this checkout, mend what a killed run left, then be `dvc repro`.

Stages that do not need one another run side by side (enginewright/side_by_side).
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from enginewright.errors import exit_with
from enginewright.recovery.branch import mend_branch
from enginewright.recovery.busy_files import mend_busy
from enginewright.recovery.lock_files import mend_locks
from enginewright.recovery.run_cache import mend_runs
from enginewright.temporaries import WORK, clear_leftovers
from enginewright.warm.launch import start_ahead

LOCK = Path(".cache/repro.lock")
DVC_LOCK = Path(".dvc/tmp/lock")


def main(words: list[str]) -> None:
    """Become `dvc` with these words, which holds the lock until it ends."""
    lock = _alone()
    start_ahead([word for word in words[1:] if not word.startswith("-")])
    with _dvc_waits():
        for told in (*mend_locks(), *mend_busy(), *mend_runs(), *mend_branch()):
            print(f"recovered: {told}", file=sys.stderr)
    clear_leftovers(WORK)
    os.set_inheritable(lock.fileno(), True)
    os.execv(sys.executable, [sys.executable, "-m", "enginewright.side_by_side", *words])  # noqa: S606 - no shell is what is wanted


def _alone() -> IO[str]:
    """Return the lock of this checkout. DVC has one of its own, with which two runs only disturb each other."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    handle = LOCK.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another make repro runs in this checkout: waiting for it", file=sys.stderr)
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


@contextmanager
def _dvc_waits() -> Iterator[None]:
    """Hold DVC's own lock, under which it writes what is mended here: a file that is being written looks cut short."""
    if not DVC_LOCK.is_file():
        yield
        return
    with DVC_LOCK.open("r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
