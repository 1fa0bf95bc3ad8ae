"""`python -m enginewright.recovery.prepare [repro OVERRIDE...]`: mend what a killed run left; for `repro`, compose."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from enginewright.config import compose
from enginewright.errors import exit_with
from enginewright.recovery.branch import mend_branch
from enginewright.recovery.busy_files import mend_busy
from enginewright.recovery.lock_files import mend_locks
from enginewright.recovery.run_cache import mend_runs
from enginewright.temporaries import WORK, clear_leftovers

DVC_LOCK = Path(".dvc/tmp/lock")


def main(words: Sequence[str]) -> int:
    """Prepare a run in the current folder, in which no other `make repro` runs."""
    with _dvc_waits():
        for told in (*mend_locks(), *mend_busy(), *mend_runs(), *mend_branch()):
            print(f"recovered: {told}", file=sys.stderr)
    clear_leftovers(WORK)
    return compose.main([*words[1:]]) if words else 0


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
