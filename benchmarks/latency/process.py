"""The other end of a worker: asks, waits no longer than allowed, and tells a reason where there is no answer."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


class NoAnswerError(Exception):
    """A contestant that failed, ended or took too long; the text is the reason of its row."""


class Process:
    """One worker process; what it prints besides goes to a log file."""

    def __init__(self, command: list[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("w")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def ask(self, **question: Any) -> None:
        """Send a question; its answer is fetched by `answer`."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: `answer` says so

    def answer(self, seconds: float) -> dict[str, Any]:
        """Return the next answer.

        Raises:
            NoAnswerError: if it says what went wrong, has ended, or does not answer in time; in the last case it is
                killed.
        """
        try:
            line = self._lines.get(timeout=max(seconds, 0.01))
        except queue.Empty:
            self.end()
            raise NoAnswerError(f"no answer after {max(seconds, 0):.0f} s") from None
        if line is None:
            raise NoAnswerError(f"its process ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            self.end()
            raise NoAnswerError(found["error"])
        return found

    def end(self) -> None:
        """Kill it, if it still runs."""
        self._process.kill()
        self._process.wait()
        self._log.close()


def worker(bundle: Path, device: str, log: Path) -> Process:
    """Start a worker of this package."""
    return Process([sys.executable, "-m", "benchmarks.latency.worker", str(bundle), device], log)
