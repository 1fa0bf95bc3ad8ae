"""Pairs the keypoints of two results by position, so that two of nearly equal score may change places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.contract import Contract, Rule
from enginewright.reference import Arrays

_POSITIONS, _VALID = "keypoints", "valid"
"""The tensors of the extractor contract that say where a row is, and whether it is one."""


_Rows = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
"""For each image the rows of the expected and of the actual result that are one keypoint."""


@dataclass(frozen=True)
class Aligned:
    """Both results with rows in the same order, and how many rows of either found no counterpart (share of all)."""

    expected: Arrays
    actual: Arrays
    missing: float


def align(expected: Arrays, actual: Arrays, contract: Contract, radius: float) -> Aligned:
    """Return both results with the rows of `aligned` and `linked` outputs paired by position within `radius` pixels.

    expected, actual: outputs of one graph call, `aligned` ones of shape (N, K, ...) for the N images of `keypoints`, or
    (N / 2, K, ...) where a row belongs to image 0 of a pair. Others stay as they are.
    """
    rules = {output.name: output.rule for output in contract.outputs if output.rule in (Rule.aligned, Rule.linked)}
    if _POSITIONS not in rules:
        return Aligned(expected, actual, 0.0)
    rows, missing = _pair_batch(expected, actual, radius)
    first, second = (
        side | {name: _side_of(rule, side[name], rows, number) for name, rule in rules.items()}
        for number, side in enumerate((expected, actual))
    )
    return Aligned(first, second, missing)


def _side_of(rule: Rule, array: NDArray[Any], rows: _Rows, side: int) -> NDArray[Any]:
    return _linked(array, rows, side) if rule is Rule.linked else _take(array, rows, side)


def _pair_batch(expected: Arrays, actual: Arrays, radius: float) -> tuple[_Rows, float]:
    rows: _Rows = []
    found = total = 0
    for slot in range(len(expected[_POSITIONS])):
        valid0, valid1 = _valid_rows(expected, slot), _valid_rows(actual, slot)
        first, second = nearest_pairs(expected[_POSITIONS][slot][valid0], actual[_POSITIONS][slot][valid1], radius)
        rows.append((valid0[first], valid1[second]))
        found += len(first)
        total += max(len(valid0), len(valid1))
    return rows, 1 - found / total if total else 0.0


def _valid_rows(outputs: Arrays, slot: int) -> NDArray[np.intp]:
    if _VALID in outputs:
        return np.flatnonzero(outputs[_VALID][slot])
    return np.arange(outputs[_POSITIONS].shape[1])


def nearest_pairs(
    first: NDArray[Any], second: NDArray[Any], radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row indices (i, j) of mutual nearest neighbours within `radius`; first (N, 2), second (M, 2), pixels."""
    if not len(first) or not len(second):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    distance = np.linalg.norm(first[:, None].astype(np.float64) - second[None].astype(np.float64), axis=-1)
    forward, backward = distance.argmin(axis=1), distance.argmin(axis=0)
    rows = np.arange(len(first))
    mutual = (backward[forward] == rows) & (distance[rows, forward] <= radius)
    return rows[mutual], forward[mutual]


def _take(array: NDArray[Any], rows: _Rows, side: int) -> NDArray[Any]:
    """Return the paired rows of all batch slots, one after another: (N, ...)."""
    step = len(rows) // len(array)
    return np.concatenate([slot[rows[step * number][side]] for number, slot in enumerate(array)])


def _linked(array: NDArray[Any], rows: _Rows, side: int) -> NDArray[Any]:
    """Return the paired rows of `array` (B, K), with each index as that of its pair among the pairs of image 1.

    -1 stays. An index of a keypoint without a counterpart becomes -2 or -3, by the side: it equals nothing.
    """
    found = []
    for number, slot in enumerate(array):
        places = np.full(len(slot) + 1, -2 - side, dtype=array.dtype)
        partners = rows[2 * number + 1][side]
        places[partners] = np.arange(len(partners), dtype=array.dtype)
        places[-1] = -1
        found.append(places[slot[rows[2 * number][side]]])
    return np.concatenate(found)
