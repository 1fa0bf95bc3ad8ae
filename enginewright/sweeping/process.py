"""A worker's process, seen from the machine that it runs on: a clone, a child in it, questions and answers.

Standard library only and of one file, since Ray carries this module to machines that have Python and the requirements
but not this project: the project comes in the clone, at the very commit that is swept.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_IDLE = "idle"
"""A file in a clone whose last worker ended in order: the next one may take the clone over, with its cache."""

_LOOK_S = 1.0
"""Seconds between looks at whether a worker that says nothing still lives."""


class WorkerLost(Exception):  # noqa: N818 - an event, which the scheduler answers, and no mistake of the user's
    """The process ended, or never started, without an answer."""


@dataclass(frozen=True)
class Setting:
    """What a worker needs to know of the sweep.

    source: repository or bundle to clone; tree: of it. folder: where clones go, on the worker's machine. config: text
    of .dvc/config.local, with the cache or the remote. downloads: folder of checkpoints that a machine's workers share.
    threads: for each stage. env: more environment variables. keep: whether the clone stays for the machine's next
    worker. memory_mb: that a worker takes, 0 where nobody should reserve it. bundle: the source itself, for machines
    that cannot reach its path.
    """

    source: str
    tree: str
    folder: str
    config: str
    downloads: str
    threads: int
    env: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    memory_mb: float = 0.0
    bundle: bytes | None = None


class WorkerProcess:
    """Starts a worker in a clone, passes jobs and ends it. One question at a time."""

    def __init__(self, setting: Setting, module: str = "enginewright.sweeping.worker") -> None:
        self._setting, self._module = setting, module
        self._child: subprocess.Popen[str] | None = None
        self._lock: IO[str] | None = None
        self._clone = Path()

    @property
    def pid(self) -> int:
        """Return the process of the worker, 0 before it starts."""
        return self._child.pid if self._child else 0

    def start(self) -> dict[str, Any]:
        """Clone, start the worker and return its first answer: what its machine has.

        Raises:
            WorkerLost: if it does not start.
        """
        try:
            self._clone, self._lock = _clone_for(self._setting)
            self._child = self._started()
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", None) or error
            raise WorkerLost(f"no worker starts on {socket.gethostname()}: {detail}") from error
        return self._answer()

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the worker's answer to a message.

        Raises:
            WorkerLost: if it ends before it answers.
        """
        assert self._child is not None  # noqa: S101 - tells the type checker
        assert self._child.stdin is not None  # noqa: S101
        try:
            self._child.stdin.write(json.dumps(message) + "\n")
            self._child.stdin.flush()
        except OSError as error:
            raise WorkerLost(self._end()) from error
        return self._answer()

    def close(self) -> None:
        """End the worker in order, and remove its clone unless it is to be kept."""
        if self._child and self._child.stdin:
            try:
                self.ask({"end": True})
                self._child.stdin.close()
                self._child.wait(timeout=60)
            except (WorkerLost, OSError, subprocess.TimeoutExpired):
                self.kill()
            else:
                (self._clone / _IDLE).touch()
        if not self._setting.keep:
            shutil.rmtree(self._clone, ignore_errors=True)
        if self._lock:
            self._lock.close()

    def kill(self) -> None:
        """End the worker and the stage that it runs, at once."""
        if self._child:
            _kill_group(self._child.pid)
            self._child.wait()

    def _started(self) -> subprocess.Popen[str]:
        assert self._lock is not None  # noqa: S101 - tells the type checker
        with (self._clone / ".cache" / "worker.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", self._module],
                cwd=self._clone,
                env=_environment(self._clone, self._setting),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                pass_fds=[self._lock.fileno()],  # the clone is taken while either of the two processes lives
            )

    def _answer(self) -> dict[str, Any]:
        assert self._child is not None  # noqa: S101 - tells the type checker
        assert self._child.stdout is not None  # noqa: S101
        while not select.select([self._child.stdout], [], [], _LOOK_S)[0]:
            if self._child.poll() is not None:  # what it started may hold the pipe open
                raise WorkerLost(self._end())
        line = self._child.stdout.readline()
        if not line.endswith("\n"):
            raise WorkerLost(self._end())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> str:
        """Make sure that nothing of the worker goes on, and say how it ended."""
        assert self._child is not None  # noqa: S101 - tells the type checker
        _kill_group(self._child.pid)
        status = self._child.wait()
        log = self._clone / ".cache" / "worker.log"
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] if log.is_file() else []
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"a worker on {socket.gethostname()} ended by {how}{': ' if said else ''}{' '.join(said)}"


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment(clone: Path, setting: Setting) -> dict[str, str]:
    """Return the environment: the clone's own code, this Python first in PATH, a private site cache for DVC."""
    leaking = ("DVC_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leaking)}
    threads = {name: str(setting.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name not in kept}
    return {
        **kept,
        **threads,
        **setting.env,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DVC_SITE_CACHE_DIR": str(clone / ".cache" / "dvc-site"),
        "DVC_NO_ANALYTICS": "1",
        "ENGINEWRIGHT_CACHE": os.environ.get("ENGINEWRIGHT_CACHE", _downloads(setting)),
    }


def _downloads(setting: Setting) -> str:
    """Return the user's folder of downloads, or one beside the clones on a machine that does not have it."""
    return setting.downloads if Path(setting.downloads).is_dir() else str(Path(setting.folder) / "downloads")


def one_job(setting: Setting, message: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the answer to a single message, with what the machine has; to none, only that."""
    worker = WorkerProcess(setting)
    try:
        found = worker.start()
        return {**found, **(worker.ask(message) if message else {})}
    finally:
        worker.close()


def _clone_for(setting: Setting) -> tuple[Path, IO[str]]:
    """Return a clone of the source that no other worker uses, and the lock that says so."""
    folder = Path(setting.folder) / setting.tree[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(10_000):
        clone = folder / f"{socket.gethostname()}-{number}"
        lock = _taken(clone.with_name(f".{clone.name}.lock"))
        if lock is not None:
            if not (clone / _IDLE).is_file():
                shutil.rmtree(clone, ignore_errors=True)  # its last worker was killed in the middle of something
                _fill(clone, setting)
            (clone / _IDLE).unlink(missing_ok=True)
            return clone, lock
    raise OSError(f"no free place for a clone in {folder}")


def _taken(path: Path) -> IO[str] | None:
    """Return the lock at `path`, or None while another worker holds it; the system frees it with its holders."""
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


def _fill(clone: Path, setting: Setting) -> None:
    source = setting.source
    if setting.bundle is not None:
        bundle = clone.with_name(f".{clone.name}.bundle")
        bundle.write_bytes(setting.bundle)
        source = str(bundle)
    command = ["git", "clone", "-q", source, str(clone)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    (clone / ".dvc" / "config.local").write_text(setting.config, encoding="utf-8")
    (clone / ".cache").mkdir(exist_ok=True)
    (clone / ".cache" / "dvc-site").mkdir(mode=0o700, exist_ok=True)  # DVC would open it to everybody
