"""`make repro`: wait for another one in this checkout, compose conf/, mend what a killed run left, then be `dvc repro`.

`python -m enginewright.recovery WORD... [-- OVERRIDE...]`: DVC's words, and for `repro`, which alone composes, Hydra's
overrides. Stages that do not need one another run side by side (enginewright/side_by_side).
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from enginewright.errors import exit_with
from enginewright.recovery.branch import mend_branch
from enginewright.recovery.busy_files import mend_busy
from enginewright.recovery.composing import Composing
from enginewright.recovery.lock_files import mend_locks
from enginewright.recovery.run_cache import mend_runs
from enginewright.temporaries import WORK, clear_leftovers
from enginewright.warm.garbage import collect_seldom
from enginewright.warm.launch import start_ahead

LOCK = Path(".cache/repro.lock")
DVC_LOCK = Path(".dvc/tmp/lock")


def main(words: Sequence[str], overrides: Sequence[str]) -> int:
    """Be `dvc` with these words, alone in this checkout; return its exit status, or that of failed composing."""
    collect_seldom()
    with _alone():
        targets = [word for word in words[1:] if not word.startswith("-")]
        composing = Composing(overrides, lambda: start_ahead(targets)) if words[:1] == ["repro"] else None
        with _dvc_waits():
            for told in (*mend_locks(), *mend_busy(), *mend_runs(), *mend_branch()):
                print(f"recovered: {told}", file=sys.stderr)
        clear_leftovers(WORK)
        from enginewright.side_by_side.program import run  # DVC: a second, in which params.yaml is composed

        return (composing.status() if composing else 0) or run([*words])


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
    given = [*sys.argv[1:], "--"]
    cut = given.index("--")
    exit_with(lambda: main(given[:cut], given[cut + 1 : -1]))
