"""Fault points: where the tests end a process, or let the system refuse, while something is written.

They are off, and cost a look at the environment, unless ENGINEWRIGHT_FAULT names one:

    ENGINEWRIGHT_FAULT=half:typed.onnx:kill        kill -9 when half of typed.onnx is in its temporary file
    ENGINEWRIGHT_FAULT=flushed:typed.onnx:ENOSPC   the disk is full when it is flushed; any name of errno(3) will do
    ENGINEWRIGHT_FAULT=log:/a/file                 append each point that is passed: point, file, process

Points, in the order in which a file passes them (enginewright/artifacts.py):

    begin      nothing is there yet
    created    an empty temporary file lies beside the target
    half       half of the bytes are in it
    filled     all of them are, none need be on the disk
    flushed    all of them are on the disk; the target is still the old one
    renamed    the target is the new one
    done       so it stays after a power cut; what comes next is the next output, or the end of the stage
    swapped    of a folder only: the old one has made room, the new one is not there yet
"""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

VARIABLE = "ENGINEWRIGHT_FAULT"
KILL, STOP, LOG = "kill", "stop", "log"


def fault_point(point: str, path: Path) -> None:
    """Pass a point while `path` is written: do what the environment asks for there, which is nothing but in tests.

    Raises:
        OSError: the one that was asked for.
    """
    if not (asked := os.environ.get(VARIABLE)):
        return
    where, _, rest = asked.partition(":")
    if where == LOG:
        _note(rest, f"{point} {path.name} {os.getpid()}\n")
        return
    name, _, action = rest.partition(":")
    if (where, name) == (point, path.name):
        _act(action, path)


def _note(log: str, line: str) -> None:
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(line)


def _act(action: str, path: Path) -> None:
    if action in (KILL, STOP):
        os.kill(os.getpid(), signal.SIGKILL if action == KILL else signal.SIGSTOP)
        return
    number = getattr(errno, action)
    raise OSError(number, os.strerror(number), str(path))
