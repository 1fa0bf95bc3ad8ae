"""Two files of named arrays: a reference, or a checkpoint."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]


def in_arrays(old: bytes, new: bytes) -> Iterator[str]:
    """Yield each array of two .npz files that differs."""
    with np.load(io.BytesIO(old), allow_pickle=False) as before, np.load(io.BytesIO(new), allow_pickle=False) as after:
        yield from _in(dict(before), dict(after))


def in_tensors(old: bytes, new: bytes) -> Iterator[str]:
    """Yield each tensor of two .safetensors files that differs."""
    from safetensors.numpy import load

    yield from _in(load(old), load(new))


def _in(before: Arrays, after: Arrays) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            yield f"{name} is in one of the two alone"
        elif line := array_difference(before[name], after[name]):
            yield f"{name}: {line}"


def array_difference(old: NDArray[np.generic], new: NDArray[np.generic]) -> str:
    """Return how two arrays differ, nothing if they do not."""
    if old.dtype != new.dtype or old.shape != new.shape:
        return f"{old.dtype} {list(old.shape)} -> {new.dtype} {list(new.shape)}"
    if old.tobytes() == new.tobytes():
        return ""
    if not np.issubdtype(old.dtype, np.number):
        return "other values"
    apart = np.abs(old.astype(np.float64) - new.astype(np.float64))
    return f"{int((old != new).sum())} of {old.size} values, by {np.nanmax(apart, initial=0):.3g} at most"
