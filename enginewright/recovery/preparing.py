"""A process of its own prepares a run while `make repro` imports DVC: neither needs the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Thread

from enginewright.lifeline import bound


class Preparing:
    """Runs prepare.py with these words from the moment that it is made.

    then: called in another thread once all is well, but nobody waits for it.
    """

    def __init__(self, words: Sequence[str], then: Callable[[], None]) -> None:
        command = [sys.executable, "-m", "enginewright.lifeline", "enginewright.recovery.prepare", *words]
        self._process = subprocess.Popen(command, env=bound())
        self._thread = Thread(target=self._wait, args=(then,))
        self._thread.start()

    def status(self) -> int:
        """Wait for the end; return its exit status. What was wrong it has printed."""
        self._thread.join()
        return self._process.returncode

    def _wait(self, then: Callable[[], None]) -> None:
        if not self._process.wait():
            then()
