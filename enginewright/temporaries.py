"""Temporary files and folders that are known to be left over once whoever made them is gone.

Each is locked by its maker while it lives (flock(2)); the system frees the lock when the maker ends, however it ends.
So what can be locked is nobody's, and the next stage removes it: a kill -9 leaves nothing for long.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

WORK = Path(".cache/work")
"""Where a stage and the tools that it starts keep temporary files: on the disk of the checkout, so that neither a full
nor a read-only /tmp is in the way, and a killed stage leaves nothing there."""

_OURS = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp$")
"""Names that `temporary_file` and `temporary_folder` give; DVC's own have no second part, and are its own business."""


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Give an empty file beside `path`, on its file system; it is removed at the end, unless it was renamed."""
    with _claimed(path.parent, path.name, _new_file) as temporary:
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Give an empty folder in `parent`; it is removed at the end with all that is in it, unless it was renamed."""
    with _claimed(parent, name, _new_folder) as temporary:
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def working_folder(parent: Path = WORK) -> Iterator[None]:
    """Let this process and its children put temporary files into a folder of their own, until the block ends.

    Where none can be made the system's choice stays: writing the outputs will say what is wrong.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            parent.mkdir(parents=True, exist_ok=True)
            clear_leftovers(parent)
            folder = stack.enter_context(temporary_folder(parent.absolute(), "stage"))
            stack.enter_context(temporaries_in(folder))
        yield


@contextmanager
def temporaries_in(folder: Path) -> Iterator[None]:
    """Make `folder` the one that tempfile, and the programs that are started, use."""
    before, chosen = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = chosen
        del os.environ["TMPDIR"]
        os.environ.update({} if before is None else {"TMPDIR": before})


def clear_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders in `folder` whose makers are gone."""
    for path in filter(lambda path: _OURS.match(path.name), folder.glob(".*.tmp")):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


@contextmanager
def _claimed(parent: Path, name: str, new: Callable[[Path, str], Path]) -> Iterator[Path]:
    """Make a file or folder, and hold its lock until the block ends."""
    path, handle = _locked(parent, f".{name}.", new)
    try:
        yield path
    finally:
        os.close(handle)


def _locked(parent: Path, prefix: str, new: Callable[[Path, str], Path]) -> tuple[Path, int]:
    """Make and lock one. Another process may have taken it for a leftover before it was locked: then one more."""
    while True:
        path = new(parent, prefix)
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks: there nothing can be known to be left over
                fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return path, handle
            os.close(handle)


def _new_file(parent: Path, prefix: str) -> Path:
    handle, name = tempfile.mkstemp(dir=parent, prefix=prefix, suffix=".tmp")
    os.close(handle)
    return Path(name)


def _new_folder(parent: Path, prefix: str) -> Path:
    return Path(tempfile.mkdtemp(dir=parent, prefix=prefix, suffix=".tmp"))
