"""A command, and what it cost: wall seconds, processor seconds and memory of all its processes."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from enginewright.errors import EnginewrightError
from enginewright.sweeping.memory import group_mb

_EVERY_S = 1.0
"""Between looks at the memory. Each takes milliseconds of the other core."""

_SHOWN = 1500
_PR_SET_CHILD_SUBREAPER = 36


class CommandError(EnginewrightError):
    """A measured command that ended with an error: its time would say nothing."""


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    wall_s: until the command ended. cpu_s: user and system time of all its processes, also of those that outlived the
    one that started them (wait4(2), as the reaper of orphans). peak_mb: the largest sum over its process group, read
    every second, pages that processes share counted once (proportional set size). largest_process_mb: the largest
    resident set of a single process, exact (ru_maxrss), but never less than what the benchmark itself holds.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    largest_process_mb: float

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of one command after the other."""
        return Cost(
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
            max(self.peak_mb, other.peak_mb),
            max(self.largest_process_mb, other.largest_process_mb),
        )


@dataclass(frozen=True)
class Done:
    """A command that ended well: its cost, and what it printed."""

    cost: Cost
    printed: str


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Done:
    """Run a command in `folder` and measure it.

    Raises:
        CommandError: with the last lines that it printed, if it fails or cannot be started.
    """
    _adopt_orphans()
    with tempfile.TemporaryFile() as printed:
        start = time.monotonic()
        process = _started(command, folder, environment, printed.fileno())
        with _ended_with_this(process.pid), _sampled(process.pid) as peak:
            usages = list(_ends_of_group(process))
        wall = process.ended - start
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    if process.status:
        raise CommandError(f"{' '.join(command)} failed", got=f"status {process.status}\n{text[-_SHOWN:]}")
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return Done(Cost(wall, cpu, peak[0], max(usage.ru_maxrss for usage in usages) * 1.024e-3), text)


@dataclass
class _Process:
    """A started command; `status` and `ended` hold once it has ended."""

    popen: subprocess.Popen[bytes]
    status: int = 0
    ended: float = 0.0

    @property
    def pid(self) -> int:
        return self.popen.pid


def _started(command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int) -> _Process:
    """Start the command as leader of a group of its own, by which its processes are found."""
    try:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be started", got=error) from error
    return _Process(popen)


def _ends_of_group(process: _Process) -> Iterator[resource.struct_rusage]:
    """Wait for the command and all that it leaves in its group; yield what each used, children waited for included."""
    while True:
        try:
            ended, status, usage = os.wait4(-process.pid, 0)
        except ChildProcessError:
            return
        if ended == process.pid:
            process.ended = time.monotonic()
            process.status = process.popen.returncode = os.waitstatus_to_exitcode(status)
        yield usage


@contextmanager
def _ended_with_this(group: int) -> Iterator[None]:
    """End the group of processes where this one is interrupted while the block runs, and wait until it has ended."""
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-group, 0)
        raise


def _adopt_orphans() -> None:
    """Become the parent of processes whose own has ended: nobody else could wait for them and read what they used."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


@contextmanager
def _sampled(group: int) -> Iterator[list[float]]:
    """Give a list whose one element grows to the largest memory of the group, in MB."""
    peak, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(_EVERY_S):
            peak[0] = max(peak[0], group_mb(group))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
