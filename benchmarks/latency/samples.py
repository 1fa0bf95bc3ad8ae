"""Samples of a reference as plain arrays: what goes in, what the original gave, and several pairs in one call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def samples(path: Path, pairs: int) -> Iterator[tuple[Arrays, Arrays]]:
    """Yield inputs and outputs of each sample of a reference.npz, the same pair as often as a call takes pairs."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name.startswith(("in/", "out/"))}
    for index in range(len(next(iter(arrays.values())))):
        yield _row(arrays, "in/", index, pairs), _row(arrays, "out/", index, pairs)


def _row(arrays: Arrays, prefix: str, index: int, pairs: int) -> Arrays:
    found = {name.removeprefix(prefix): array[index] for name, array in arrays.items() if name.startswith(prefix)}
    return {name: np.tile(array, (pairs, *[1] * (array.ndim - 1))) for name, array in found.items()}
