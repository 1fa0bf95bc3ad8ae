"""Disks and folders that cannot be written to. Each function is one fault, tried on a stage by hand."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.torture.dvc_kills import Runs
from tests.torture.forks import MARK

NETWORK = "foreign"


class Missing(Exception):  # noqa: N818 - no error: what this machine lacks
    """What this machine lacks to try a fault."""


def started(runs: Runs, *command: str, **more: Any) -> subprocess.Popen[str]:
    """Start a command in the checkout, with the mark, in a process group of its own."""
    environment = runs.space.environment() | {MARK: runs.mark}
    return subprocess.Popen(
        command, cwd=runs.space.path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **more,
    )  # fmt: skip


def told_by(process: subprocess.Popen[str]) -> str:
    """Return all that it prints."""
    return process.communicate(timeout=300)[0]


def no_temporary_folder(runs: Runs) -> str:
    """A full or read-only /tmp is in nobody's way: temporary files lie on the disk of the checkout."""
    stage = ("python", "-m", "stages.simplify", f"network={NETWORK}")
    done = runs.space.run(*stage, check=False, TMPDIR="/proc")
    if done.returncode:
        return done.stderr[-500:]
    first, second = (runs.space.digests(f"{place}weights/{NETWORK}/simplified.onnx").values()
                     for place in ("scratch/simplify/", ""))  # fmt: skip
    return "" if [*first] == [*second] else "another graph"


def full_disk(runs: Runs) -> str:
    """A disk that is really full: an error with a cure, and nothing half-written."""
    with _small_disk(runs, "size=4k"):
        return _refused(runs, "No space left on device")


def read_only_disk(runs: Runs) -> str:
    """A disk that is really mounted read-only."""
    with _small_disk(runs, "ro"):
        return _refused(runs, "Read-only file system")


def read_only_folder(runs: Runs) -> str:
    """A folder that is not ours to write to."""
    if not os.getuid():
        raise Missing("a user who is not root, whom the system refuses nothing")
    (runs.space.path / "scratch").mkdir(exist_ok=True)
    (runs.space.path / "scratch").chmod(0o555)
    try:
        return _refused(runs, "Permission denied")
    finally:
        (runs.space.path / "scratch").chmod(0o755)


def file_size_limit(runs: Runs) -> str:
    """A limit of file sizes, as any user can have it."""
    return _refused(runs, "File too large", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))


@contextmanager
def _small_disk(runs: Runs, option: str) -> Iterator[None]:
    """Mount a small disk where a stage by hand writes."""
    scratch = runs.space.path / "scratch"
    scratch.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(scratch)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise Missing("the right to mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", scratch], check=True)


def _refused(runs: Runs, reason: str, **how: Any) -> str:
    """Run a stage by hand in a way in which it cannot write; return what is wrong with its answer."""
    process = started(runs, sys.executable, "-m", "stages.adopt", f"network={NETWORK}", **how)
    told = told_by(process)
    wrong = [f"not told: {text}" for text in ("could not be written", reason, "cure: ") if text not in told]
    wrong += [f"exit status {process.returncode}"] if process.returncode != 1 else []
    wrong += [f"left: {path.name}" for path in (runs.space.path / "scratch").rglob("*.tmp")]
    return "; ".join([*wrong, *([told[-600:]] if wrong else [])])
