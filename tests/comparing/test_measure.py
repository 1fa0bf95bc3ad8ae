"""Errors of one output: against numpy's own statistics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.comparing.measure import Errors, absolute_errors, measure
from enginewright.contract import Port, Rule

CLOSE = Port("scores", ("batch", "rows"))
EQUAL = Port("matches", ("batch", "rows"), dtype="int32", rule=Rule.equal)
VECTORS = Port("descriptors", ("rows", "dimension"), rule=Rule.aligned)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 200), scale=st.sampled_from([1e-6, 1.0, 1e4]))
def test_statistics_are_those_of_numpy(seed: int, size: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    expected = (scale * random.standard_normal((1, size))).astype(np.float32)
    actual = (expected + 0.01 * scale * random.standard_normal((1, size))).astype(np.float32)
    difference = np.abs(expected.astype(np.float64) - actual)
    errors = measure(CLOSE, expected, actual)
    assert errors.max_abs == pytest.approx(difference.max(), rel=1e-5, abs=1e-12)
    assert errors.mean_abs == pytest.approx(difference.mean(), rel=1e-5, abs=1e-12)
    assert errors.p99_abs == pytest.approx(np.quantile(difference, 0.99), rel=1e-5, abs=1e-12)
    np.testing.assert_allclose(absolute_errors(expected, actual), difference.ravel())


def test_equal_arrays_have_no_error() -> None:
    array = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    assert measure(CLOSE, array, array) == Errors(0.0, 0.0, 0.0, 1.0)


def test_a_single_outlier_shows_in_the_maximum_only() -> None:
    expected = np.ones((1, 1000), np.float32)
    actual = expected.copy()
    actual[0, 7] = 1.5
    errors = measure(CLOSE, expected, actual)
    assert (errors.max_abs, errors.p99_abs) == (0.5, 0.0)
    assert errors.mean_abs == pytest.approx(0.5e-3)


def test_differing_indices_are_counted_not_subtracted() -> None:
    expected = np.arange(10, dtype=np.int32).reshape(1, 10)
    actual = expected.copy()
    actual[0, 0], actual[0, 1] = -1, 1000
    errors = measure(EQUAL, expected, actual)
    assert errors.max_abs == 1.0
    assert errors.mean_abs == pytest.approx(0.2)
    assert errors.cosine == pytest.approx(0.8)
    assert measure(EQUAL, expected, expected) == Errors(0.0, 0.0, 0.0, 1.0)
    assert measure(EQUAL, expected, expected + 1) == Errors(1.0, 1.0, 1.0, 0.0)


def test_the_cosine_of_rows_of_vectors_is_the_least_of_them() -> None:
    expected = np.eye(3, 4, dtype=np.float32)
    actual = expected.copy()
    actual[1] = [0.0, 0.6, 0.8, 0.0]
    assert measure(VECTORS, expected, actual).cosine == pytest.approx(0.6)
    assert measure(VECTORS, expected, -expected).cosine == pytest.approx(-1.0)
    assert measure(VECTORS, expected, 3 * expected).cosine == pytest.approx(1.0)


def test_the_cosine_of_anything_else_is_that_of_the_whole() -> None:
    expected, actual = np.array([[3.0, 4.0]], np.float32), np.array([[4.0, 3.0]], np.float32)
    assert measure(VECTORS, expected, actual).cosine == pytest.approx(24 / 25)
    points = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    turned = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    assert measure(VECTORS, points, turned).cosine == pytest.approx(0.5)
    cube = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    flat = float((cube * (cube + 1)).sum() / np.linalg.norm(cube) / np.linalg.norm(cube + 1))
    assert measure(CLOSE, cube, cube + 1).cosine == pytest.approx(flat, rel=1e-5)


def test_zero_vectors_agree_with_each_other_and_with_nothing_else() -> None:
    zeros, ones = np.zeros((2, 4), np.float32), np.ones((2, 4), np.float32)
    assert measure(VECTORS, zeros, zeros).cosine == 1.0
    assert measure(VECTORS, zeros, ones).cosine == 0.0
    assert measure(VECTORS, ones, zeros).cosine == 0.0
    mixed = np.stack([zeros[0], ones[0]])
    assert measure(VECTORS, mixed, mixed).cosine == pytest.approx(1.0)


def test_errors_of_samples_are_the_worst_of_each_and_the_mean_of_means() -> None:
    samples = [Errors(0.1, 0.01, 0.05, 0.9), Errors(0.2, 0.03, 0.04, 0.99)]
    total = Errors.of_samples(samples)
    assert (total.max_abs, total.p99_abs, total.cosine) == (0.2, 0.05, 0.9)
    assert total.mean_abs == pytest.approx(0.02)
    assert Errors.of_samples(samples[:1]) == samples[0]


@pytest.mark.parametrize(("dtype", "low", "high"), [("float16", -6e4, 6e4), ("uint8", 1, 255), ("int8", -128, 127)])
def test_differences_do_not_overflow_their_type(dtype: str, low: float, high: float) -> None:
    first, second = np.array([[low]], dtype), np.array([[high]], dtype)
    for expected, actual in ((first, second), (second, first)):
        errors = measure(CLOSE, expected, actual)
        assert errors.max_abs == errors.mean_abs == errors.p99_abs == pytest.approx(high - low)
        assert absolute_errors(expected, actual)[0] == pytest.approx(high - low)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_equals_nothing_not_even_itself(bad: float) -> None:
    """Whatever the tolerances: such errors are no smaller than any."""
    array = np.array([[1.0, bad]], np.float32)
    errors = measure(CLOSE, array, array.copy())
    assert not errors.max_abs <= 1e30
    assert not errors.mean_abs <= 1e30
