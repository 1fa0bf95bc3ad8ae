"""`make repro`: wait for another one in this checkout, mend what a killed run left, compose conf/, then be `dvc repro`.

`python -m enginewright.recovery WORD... [-- OVERRIDE...]`: DVC's words, and for `repro`, which alone composes, Hydra's
overrides. Stages that do not need one another run side by side (enginewright/side_by_side).
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from enginewright.errors import exit_with
from enginewright.leaving import leave
from enginewright.recovery.preparing import Preparing
from enginewright.waiting import sleep_while_waiting
from enginewright.warm.garbage import collect_seldom
from enginewright.warm.launch import start_ahead

LOCK = Path(".cache/repro.lock")


def main(words: Sequence[str], overrides: Sequence[str]) -> None:
    """Be `dvc` with these words, alone in this checkout; end with its exit status, or that of failed preparing."""
    collect_seldom()
    sleep_while_waiting()
    with _alone():
        preparing = _prepared(words, overrides)
        from enginewright.side_by_side.program import run  # DVC

        leave(preparing.status() or run([*words]))


def _prepared(words: Sequence[str], overrides: Sequence[str]) -> Preparing:
    if words[:1] != ["repro"]:
        return Preparing((), lambda: None)
    targets = [word for word in words[1:] if not word.startswith("-")]
    return Preparing(("repro", *overrides), lambda: start_ahead(targets))


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


if __name__ == "__main__":
    given = [*sys.argv[1:], "--"]
    cut = given.index("--")
    exit_with(lambda: main(given[:cut], given[cut + 1 : -1]))
