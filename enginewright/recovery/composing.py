"""params.yaml is composed by a process of its own, while `make repro` mends and imports DVC: that takes longer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Thread

from enginewright.lifeline import bound


class Composing:
    """Composes from the moment that it is made; `then` is called once params.yaml is right, in another thread."""

    def __init__(self, overrides: Sequence[str], then: Callable[[], None]) -> None:
        words = [sys.executable, "-m", "enginewright.lifeline", "enginewright.config.compose", *overrides]
        self._process = subprocess.Popen(words, env=bound())
        self._thread = Thread(target=self._wait, args=(then,))
        self._thread.start()

    def status(self) -> int:
        """Wait for the end; return its exit status. What was wrong it has printed."""
        self._thread.join()
        return self._process.returncode

    def _wait(self, then: Callable[[], None]) -> None:
        if not self._process.wait():
            then()
