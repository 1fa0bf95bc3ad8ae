"""Which point of one set is which point of another: nearest first, one to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = 256  # at K = 3840, the distances of that many rows take 8 MB, those of all 118 MB


def associate(first: NDArray[np.floating], second: NDArray[np.floating], radius: float) -> NDArray[np.int64]:
    """Return (A, 2) indices into `first` (N, 2) and `second` (M, 2) of points at most `radius` apart.

    Nearest pairs go first and no point is used twice; between equal distances the smaller difference of indices
    decides, so that equal sets are associated in order. Rows with NaN are associated with nothing.
    """
    candidates, distances = _within(first, second, radius)
    order = np.lexsort((candidates[:, 0], np.abs(candidates[:, 0] - candidates[:, 1]), distances))
    taken0, taken1 = np.zeros(len(first), dtype=bool), np.zeros(len(second), dtype=bool)
    chosen = []
    for index0, index1 in candidates[order]:
        if not taken0[index0] and not taken1[index1]:
            taken0[index0] = taken1[index1] = True
            chosen.append((index0, index1))
    return np.array(sorted(chosen), dtype=np.int64).reshape(-1, 2)


def _within(
    first: NDArray[np.floating], second: NDArray[np.floating], radius: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all (C, 2) index pairs at most `radius` apart and their (C,) distances."""
    found, lengths = [np.zeros((0, 2), dtype=np.int64)], [np.zeros(0)]
    for start in range(0, len(first), _ROWS):
        rows = first[start : start + _ROWS].astype(np.float64)
        distances = np.hypot(*(rows[:, None, axis] - second[None, :, axis] for axis in (0, 1)))
        near = np.argwhere(distances <= radius)
        lengths.append(distances[near[:, 0], near[:, 1]])
        found.append(np.add(near, (start, 0)))
    return np.concatenate(found), np.concatenate(lengths)
