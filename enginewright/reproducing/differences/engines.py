"""Two engines, whose format only the builder knows: how many bytes differ, where the first does, and next to what."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

_TEXT = re.compile(rb"[\x20-\x7e]{4,}")
_NEAR = 160


def in_bytes(old: bytes, new: bytes) -> Iterator[str]:
    """Yield the sizes if they differ, and where the bytes do."""
    if len(old) != len(new):
        yield f"{len(old)} -> {len(new)} bytes"
    shared = min(len(old), len(new))
    apart = np.flatnonzero(np.frombuffer(old, np.uint8, shared) != np.frombuffer(new, np.uint8, shared))
    if apart.size:
        yield f"{apart.size} of the first {shared} bytes differ, at {apart[0]} the first and at {apart[-1]} the last"


def in_engines(old: bytes, new: bytes) -> Iterator[str]:
    """Yield as `in_bytes`, and the names that stand around the first difference in each."""
    yield from in_bytes(old, new)
    shared = min(len(old), len(new))
    apart = np.flatnonzero(np.frombuffer(old, np.uint8, shared) != np.frombuffer(new, np.uint8, shared))
    if apart.size:
        around = slice(max(0, int(apart[0]) - _NEAR), int(apart[0]) + _NEAR)
        yield f"near the first: {_texts(old[around])} -> {_texts(new[around])}"


def _texts(data: bytes) -> str:
    return " ".join(found.decode() for found in _TEXT.findall(data)) or "no text"
