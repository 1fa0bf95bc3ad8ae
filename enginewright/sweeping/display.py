"""The sweep's progress on stderr: done, running, failed, from cache, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from enginewright.sweeping.results import Results, State

_EVERY_S = 30.0
"""Seconds between lines where there is no terminal to redraw one on."""

_CLEAR = "\x1b[K"


class Display:
    """One line that is redrawn on a terminal, or a line now and then elsewhere; news stand above it for good."""

    def __init__(self, name: str) -> None:
        self._name, self._start, self._last = name, time.monotonic(), float("-inf")
        self._terminal = sys.stderr.isatty()

    def news(self, text: str) -> None:
        """Say what stays true."""
        sys.stderr.write(f"{text}{_CLEAR if self._terminal else ''}\n")
        sys.stderr.flush()

    def draw(self, results: Results, steps: str, running: Iterable[str], left_s: float) -> None:
        """Show where the sweep is, if it is time for that."""
        if not self._terminal and time.monotonic() - self._last < _EVERY_S:
            return
        self._last = time.monotonic()
        rows = {
            "done": results.count(State.done),
            "from cache": results.count(State.cached),
            "failed": results.count(State.failed),
            "refused": results.count(State.refused),
            "not run": results.count(State.not_run),
        }
        counts = ", ".join(f"{count} {word}" for word, count in rows.items() if count or word == "done")
        now = ", ".join(running) or "waiting"
        text = f"{self._name}: {counts} of {len(results.rows)}; {steps}; {now}; {self._elapsed()}, {_left(left_s)}"
        sys.stderr.write(f"{text[: _width()]}{_CLEAR}\r" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def _elapsed(self) -> str:
        return _words(time.monotonic() - self._start)


def _left(seconds: float) -> str:
    return f"about {_words(seconds)} left"


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _width() -> int:
    import shutil

    return max(40, shutil.get_terminal_size().columns - 1)
