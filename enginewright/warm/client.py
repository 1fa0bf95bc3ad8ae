"""A stage's side: start the server if none runs, hand the stage over, and end as it ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from enginewright.lifeline import STAGE, dvc_process
from enginewright.warm.wire import Job, address, is_own, listening_for, send_job

SWITCH = "ENGINEWRIGHT_WARM"
"""Environment variable: 0 runs every stage in its own process."""

SERVED = "ENGINEWRIGHT_SERVED"
"""Environment variable of a stage that runs in a fork of the server: the process that the server serves."""


def hand_over(packages: Sequence[str], module: str = "") -> int | None:
    """Run this process's stage in a fork of the server; return its exit status, or None where it must run here.

    packages: names of packages that the stage needs and that take long to import. module: the stage's, where it is not
    this process's main module yet.
    """
    if not packages or not wanted():
        return None
    owner = dvc_process()
    return _handed_over(_connected, owner, _this_job(packages, module or _module(), **{SERVED: str(owner)}))


def hand_over_child(packages: Sequence[str]) -> int | None:
    """Run this process, which a stage started, in a fork of the stage's server; return as `hand_over` does."""
    owner = os.environ.pop(SERVED, "")  # else the fork would hand over again
    if not owner.isdecimal():
        return None
    return _handed_over(_connection, int(owner), _this_job(packages, _module()))


def _handed_over(connected: Callable[[int], socket.socket], owner: int, job: Job) -> int | None:
    try:
        connection = connected(owner)
    except OSError:
        return None
    with connection:
        if not is_own(connection):
            return None
        send_job(connection, job)
        return _end_of_job(connection)


def wanted() -> bool:
    """Return whether DVC runs this stage, and a server can be."""
    return STAGE in os.environ and possible()


def possible() -> bool:
    """Return whether imports are to be shared, on a system that has what the server needs."""
    return os.environ.get(SWITCH) != "0" and hasattr(os, "pidfd_open")


def _this_job(packages: Sequence[str], module: str, **variables: str) -> Job:
    environment = os.environ | {SWITCH: "0"} | variables
    return Job(module, sys.argv[1:], str(Path.cwd()), environment, list(packages))


def _module() -> str:
    """Return the name after `python -m`."""
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec else ""


def _connected(owner: int) -> socket.socket:
    """Return a connection to the server of the process `owner`, starting it where there is none."""
    try:
        return _connection(owner)
    except ConnectionRefusedError:
        _start(owner)
        return _connection(owner)


def _connection(owner: int) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address(owner))
    except OSError:
        connection.close()
        raise
    return connection


def _start(owner: int) -> None:
    """Start the server on a socket that already listens, so that nobody has to wait for it.

    It is of no stage: its forks would take it for a shell between them and DVC.
    """
    environment = {name: value for name, value in os.environ.items() if name != STAGE}
    with listening_for(owner) as listening:
        subprocess.Popen(
            [sys.executable, "-m", "enginewright.warm.server", str(listening.fileno()), str(owner)],
            env=environment,
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _end_of_job(connection: socket.socket) -> int | None:
    """Return the exit status of the stage, or None if the server could not take it.

    A stage that a signal ended ends this process by that signal. So does the end of the server, which its forks do
    not survive: to run the stage again would hide that somebody killed it.
    """
    answer = connection.recv(16)
    if answer == b"cold":
        return None
    status = int(answer) if answer else -signal.SIGKILL
    if status < 0:
        os.kill(os.getpid(), -status)
    return abs(status)
