"""The error of one output against the reference: Polygraphy's statistics, and the cosine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from polygraphy.comparator import IterationResult, SimpleCompareFunc
from polygraphy.logger import G_LOGGER

import enginewright.comparing.numpy_only  # noqa: F401 - for its effect on Polygraphy
from enginewright.contract import Port

G_LOGGER.module_severity = G_LOGGER.CRITICAL
_QUANTILE = 0.99


@dataclass(frozen=True)
class Errors:
    """Absolute errors in the output's unit, and the least cosine (of the whole output, or of its vectors).

    For indices (`Port.is_index`) an element's error is 1 where the two differ and 0 where they agree.
    """

    max_abs: float
    mean_abs: float
    p99_abs: float
    cosine: float

    @staticmethod
    def of_samples(samples: Sequence[Errors]) -> Errors:
        """Return the errors over several samples: the largest maximum and quantile, the mean, the least cosine."""
        return Errors(
            max_abs=max(errors.max_abs for errors in samples),
            mean_abs=float(np.mean([errors.mean_abs for errors in samples])),
            p99_abs=max(errors.p99_abs for errors in samples),
            cosine=min(errors.cosine for errors in samples),
        )

    @staticmethod
    def worst(shapes: Sequence[Errors]) -> Errors:
        """Return the errors over several shapes: the largest of each number, the least cosine."""
        return replace(Errors.of_samples(shapes), mean_abs=max(errors.mean_abs for errors in shapes))


def measure(tensor: Port, expected: NDArray[Any], actual: NDArray[Any]) -> Errors:
    """Return the errors of `actual` against `expected`, two arrays of one shape, neither empty nor NaN.

    Statistics are those of Polygraphy's SimpleCompareFunc.
    """
    if tensor.is_index:
        differs = (expected != actual).astype(np.float32)
        expected, actual = np.zeros_like(differs), differs
        cosine = 1.0 - float(differs.mean())
    else:
        cosine = _least_cosine(expected, actual)
    result = _compare(actual, expected)
    return Errors(float(result.max_absdiff), float(result.mean_absdiff), float(result.quantile_absdiff), cosine)


def _compare(actual: NDArray[Any], expected: NDArray[Any]) -> Any:
    check = SimpleCompareFunc(check_error_stat="quantile", error_quantile=_QUANTILE, atol=0, rtol=0)
    # It divides by the reference for relative errors, which nothing here reads, zeros included.
    with np.errstate(divide="ignore", invalid="ignore"):
        return check(
            IterationResult({"output": actual}, runner_name="artifact"),
            IterationResult({"output": expected}, runner_name="reference"),
        )["output"]


def absolute_errors(expected: NDArray[Any], actual: NDArray[Any]) -> NDArray[np.float64]:
    """Return the element-wise absolute error, flat, in float64."""
    difference: NDArray[np.float64] = np.abs(expected.astype(np.float64) - actual.astype(np.float64)).ravel()
    return difference


def _least_cosine(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """Return the least cosine: of each vector along the last axis of rows of vectors, else of the whole."""
    rows = (-1, expected.shape[-1]) if expected.ndim == 2 and expected.shape[-1] > 2 else (1, -1)
    first, second = expected.reshape(rows).astype(np.float64), actual.reshape(rows).astype(np.float64)
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    same = (first == second).all(axis=1)
    cosines = np.divide((first * second).sum(axis=1), norms, out=np.zeros(len(first)), where=norms > 0)
    return float(np.where(same, 1.0, cosines).min())
