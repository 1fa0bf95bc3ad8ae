"""The comparison that fits a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from enginewright.reproducing.differences.arrays import in_arrays, in_tensors
from enginewright.reproducing.differences.engines import in_bytes, in_engines
from enginewright.reproducing.differences.graphs import in_graphs
from enginewright.reproducing.differences.values import in_values

_KINDS: dict[str, Callable[[bytes, bytes], Iterator[str]]] = {
    ".onnx": in_graphs,
    ".npz": in_arrays,
    ".safetensors": in_tensors,
    ".json": in_values,
    ".plan": in_engines,
}
MOST = 12
"""So many differences of one file are told."""


def difference(name: str, old: bytes, new: bytes) -> list[str]:
    """Return what differs in two files, a line each, the first of them."""
    found = list(islice(_KINDS.get(Path(name).suffix, in_bytes)(old, new), MOST + 1))
    if not found:
        found = list(in_bytes(old, new))
    return [*found[:MOST], "and more"] if len(found) > MOST else found
