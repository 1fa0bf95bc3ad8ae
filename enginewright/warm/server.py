"""The server: it imports packages, forks a process for each job, and ends with the process that it serves.

`python -m enginewright.warm.server SOCKET OWNER [PACKAGE...]`: a listening socket's descriptor, the process to serve,
and packages to import while nobody asks for anything.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from enginewright.leaving import leave
from enginewright.lifeline import end_with
from enginewright.warm.garbage import collect_seldom
from enginewright.warm.wire import Job, receive_job

_LOOK_S = 0.1
"""Seconds between looks at whether the owner still lives, while packages are imported."""


@dataclass(frozen=True)
class _Running:
    """A fork at work: who waits for it, its process, and a descriptor that is readable once it has ended."""

    connection: socket.socket
    process: int
    ended: int


class Server:
    """Takes jobs until the owner ends. In a fork, `serve` returns the fork's job; in the server it never does."""

    def __init__(self, listening: socket.socket, owner: int, ahead: Sequence[str] = ()) -> None:
        self._listening = listening
        self._ahead = [*ahead]
        self._owner = os.pidfd_open(owner)
        self._running: list[_Running] = []

    def serve(self) -> Job | None:
        """Wait for jobs, ends of jobs and the end of the owner."""
        while True:
            for ready in self._ready():
                if ready == self._owner:
                    self._stop()
                    return None
                if ready == self._listening.fileno():
                    job = self._take()
                    if job:
                        return job
                else:
                    self._finish(ready)

    def _ready(self) -> list[int]:
        waiting = [self._owner, self._listening.fileno()]
        waiting += [number for running in self._running for number in (running.ended, running.connection.fileno())]
        while True:
            ready, _, _ = select.select(waiting, [], [], 0 if self._ahead else None)
            if ready:
                return ready
            with self._ending_with_owner():
                _imported([self._ahead.pop(0)])

    def _stop(self) -> None:
        """End all forks: what they would write, nobody waits for."""
        for running in self._running:
            os.kill(running.process, signal.SIGKILL)

    def _take(self) -> Job | None:
        """Accept a job and fork; return it in the fork only."""
        connection, _ = self._listening.accept()
        try:
            job, streams = receive_job(connection)
        except (EOFError, OSError, ValueError):
            connection.close()
            return None
        server = os.getpid()
        with self._ending_with_owner():
            known = _imported(job.packages)
        if not known:
            connection.sendall(b"cold")
            connection.close()
        elif not (process := _fork()):
            end_with(server)
            self._become(streams)
            return job
        else:
            self._running.append(_Running(connection, process, os.pidfd_open(process)))
        for stream in streams:
            os.close(stream)
        return None

    @contextmanager
    def _ending_with_owner(self) -> Iterator[None]:
        """End with the owner while the block runs too: an import takes seconds, in which nothing is waited for."""

        def look(*_: object) -> None:
            if select.select([self._owner], [], [], 0)[0]:
                os._exit(0)

        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _become(self, streams: Sequence[int]) -> None:
        """Turn the fork into the stage's process: its streams, and none of the server's descriptors."""
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        self._listening.close()
        os.close(self._owner)
        for running in self._running:
            running.connection.close()
            os.close(running.ended)

    def _finish(self, ready: int) -> None:
        """Report the end of a fork; or kill it, where the process that waits for it has gone."""
        running = next((row for row in self._running if ready in (row.ended, row.connection.fileno())), None)
        if running is None:
            return
        self._running.remove(running)
        if ready != running.ended:
            os.kill(running.process, signal.SIGKILL)
        _, status = os.waitpid(running.process, 0)
        if ready == running.ended:
            running.connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        running.connection.close()
        os.close(running.ended)


def _fork() -> int:
    """Fork, with all that was imported left out of garbage collection: looking at it would copy it into every fork."""
    gc.collect()
    gc.freeze()
    return os.fork()


def _imported(packages: Sequence[str]) -> bool:
    """Import packages, and return whether all could be; where not, the stage's own process will say why."""
    try:
        for package in packages:
            importlib.import_module(package)
    except Exception:  # whatever a package raises, the stage meets it again and tells
        return False
    return True


def run(job: Job) -> None:
    """Run the job as `python -m` does, in this process."""
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    sys.argv = [job.module, *job.arguments]
    sys.path[0] = job.folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "enginewright"]:
        del sys.modules[name]
    runpy.run_module(job.module, run_name="__main__", alter_sys=True)


def main(listening: int, owner: int, ahead: Sequence[str]) -> None:
    """Serve until the owner ends."""
    collect_seldom()
    job = Server(socket.socket(fileno=listening), owner, ahead).serve()
    if job is None:
        os._exit(0)
    leave(_status_of(job))


def _status_of(job: Job) -> int:
    """Run the job and return its exit status."""
    try:
        run(job)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
