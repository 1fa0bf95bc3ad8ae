"""Progress on stderr for everything slower than two seconds: what runs, for how long, how far."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HEARTBEAT_S = 2.0
_CLEAR = "\x1b[K"
"""Erases the rest of a terminal's line, where a longer text stood."""


class _Line:
    """One task's progress. On a terminal it redraws one line; elsewhere it prints a line a heartbeat."""

    def __init__(self, text: str, total: float | None, unit: str) -> None:
        self.text, self.total, self.unit = text, total, unit
        self.done: float | None = None
        self.start = time.monotonic()
        self.shown = False

    def draw(self, end: str) -> None:
        seconds = time.monotonic() - self.start
        rest = _CLEAR if sys.stderr.isatty() else ""
        sys.stderr.write(f"{self.text}: {self._amount()}{seconds:.0f} s{rest}{end}")
        sys.stderr.flush()
        self.shown = True

    def _amount(self) -> str:
        if self.done is None:
            return ""
        share = f" of {self.total:g} ({self.done / self.total:.0%})" if self.total else ""
        return f"{self.done:g}{share}{' ' + self.unit if self.unit else ''}, "


@contextmanager
def progress(text: str, total: float | None = None, unit: str = "") -> Iterator[Callable[[float], None]]:
    """Show `text` with the elapsed seconds every two seconds until the block ends; short blocks print nothing.

    Yields a function that takes how much is done, in the same unit as `total`.
    """
    line, stop = _Line(text, total, unit), threading.Event()
    thread = threading.Thread(target=_beat, args=(line, stop), daemon=True)
    thread.start()
    try:
        yield lambda done: setattr(line, "done", done)
    finally:
        stop.set()
        thread.join()
        if line.shown:
            line.draw("\n")


def _beat(line: _Line, stop: threading.Event) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    while not stop.wait(_HEARTBEAT_S):
        line.draw(end)
