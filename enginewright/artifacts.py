"""Artifacts on disk: one atomic write, one digest, one JSON form."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from enginewright.errors import DataError, StorageError
from enginewright.faults import fault_point
from enginewright.input_file import read_input
from enginewright.json_text import load_object
from enginewright.temporaries import temporary_file, temporary_folder

_REFUSALS = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some of your quota on that disk",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EACCES: "see who owns the folder, and its mode",
    errno.EPERM: "see who owns the folder, and its attributes",
    errno.EROFS: "mount that disk writable",
    errno.EIO: "see what the system says of that disk (dmesg)",
}
"""What the system can answer to a write, and what helps."""


def write_atomically(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a temporary file beside `path`, flush it to disk, then rename it to `path`.

    A reader sees the whole old file or the whole new one, also after a kill, a full disk or a power cut. What a kill
    leaves beside it is removed by the next stage (enginewright/temporaries.py).

    Raises:
        StorageError: if the system refuses; the old file is still there.
    """
    with storing(path):
        fault_point("begin", path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            fault_point("created", path)
            fill(temporary)
            fault_point("filled", path)
            _flush(temporary)
            temporary.chmod(0o644)
            fault_point("flushed", path)
            temporary.replace(path)
        fault_point("renamed", path)
        _flush_folder(path.parent)
    fault_point("done", path)


def write_folder(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Make `files`, by name, the whole content of the folder `path`: nobody ever sees some of them.

    Raises:
        StorageError: if the system refuses; the old folder is still there.
    """
    with storing(path):
        fault_point("begin", path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent, path.name) as temporary, temporary_folder(path.parent, path.name) as old:
            fault_point("created", path)
            for name, data in files:
                _write_in_two(temporary / name, data, path)
                _flush(temporary / name)
            _flush_folder(temporary)
            temporary.chmod(0o755)
            fault_point("flushed", path)
            _exchange(temporary, path, old)
        fault_point("renamed", path)
        _flush_folder(path.parent)
    fault_point("done", path)


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Rename the folder `new` to `path`, and what is there to `old`, an empty one. No system can do both at once."""
    if path.exists():
        path.replace(old)
    fault_point("swapped", path)
    new.replace(path)


@contextmanager
def storing(path: object = None) -> Iterator[None]:
    """Turn what the system says when it cannot store `path`, or the file it names, into an error with a cure.

    Raises:
        StorageError: for a full disk, a read-only folder and the like; other errors pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise StorageError(
            f"{path or error.filename or 'a temporary file'} could not be written",
            expected="free space, and a folder that can be written to",
            got=f"{error.strerror} ({errno.errorcode[error.errno]})",
            cure=_REFUSALS[error.errno] + "; then run again: what was built before is still there",
        ) from error


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make a rename in the folder last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, atomically."""
    write_atomically(path, lambda temporary: _write_in_two(temporary, data, path))


def _write_in_two(temporary: Path, data: bytes, path: Path) -> None:
    """Write `data`, passing the point at which half of it is there."""
    half = len(data) // 2
    with temporary.open("wb") as file:
        file.write(memoryview(data)[:half])
        file.flush()
        fault_point("half", path)
        file.write(memoryview(data)[half:])


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as `json_bytes`, atomically."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return `value` as sorted, indented JSON. NaN and Inf are refused: JSON has neither."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    Raises:
        DataError: if there is no such file, or it holds anything else (enginewright/json_text.py).
    """
    try:
        return load_object(read_input(path))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is no JSON that can be used: {error}",
            expected="a JSON object, as it was written",
            cure="write it anew: dvc repro for what a stage wrote",
        ) from error


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the bytes of `path`, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_of(path: Path) -> str:
    """Return the hexadecimal MD5 of the bytes of `path`, which is what DVC knows files by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
