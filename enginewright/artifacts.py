"""Artifacts on disk: one atomic write, one digest, one JSON form."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from enginewright.errors import DataError
from enginewright.input_file import read_input
from enginewright.json_text import load_object

_CHUNK = 1 << 20


def write_atomically(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a temporary file beside `path`, flush it to disk, then rename it to `path`.

    A reader sees the whole old file or the whole new one, also after a kill or a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        fill(temporary)
        _flush(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, atomically."""
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


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
    """Return the hexadecimal SHA-256 of the bytes of `path`, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
