"""What is wrong with a tensor in a format, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from enginewright.rehearsing.formats import FORMATS
from enginewright.rehearsing.ranges import Seen

HALF, BRAIN = FORMATS[TensorProto.FLOAT16], FORMATS[TensorProto.BFLOAT16]
NORMAL = np.random.default_rng(0).standard_normal(4096).astype(np.float32)
LIMIT = 0.05


def seen(values: object, kind: object = HALF) -> Seen:
    found = Seen(kind)  # type: ignore[arg-type]
    found.add(np.asarray(values, dtype=np.float32), "sample")
    return found


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e4])
@pytest.mark.parametrize("kind", [HALF, BRAIN])
def test_ordinary_values_fit(scale: float, kind: object) -> None:
    assert seen(NORMAL * scale, kind).fault is None
    assert seen(NORMAL * scale, kind).note(LIMIT) is None


def test_an_overflow_says_how_far_and_where() -> None:
    found = Seen(HALF)
    found.add(np.array([1.0, -2.0], np.float32), "fine")
    found.add(np.array([1.0, -131_008.0], np.float32), "bad")
    fault = found.fault
    assert fault == "overflow: reaches 1.31e+05, 2 times the largest float16, in bad"
    assert (found.over, found.overflows) == (2.0, ["bad"])


def test_what_rounds_to_the_largest_number_does_not_overflow() -> None:
    assert seen([0.1, 65_519.5]).fault is None
    assert "overflow" in str(seen([0.0, 65_520.0]).fault)
    assert seen([0.0, 1e30], BRAIN).fault is None


def test_values_that_vanish_are_drowned() -> None:
    assert "drowned: float16" in str(seen(NORMAL * 1e-8).note(LIMIT))
    assert seen(NORMAL * 1e-8).fault is None, "told, not judged"
    assert seen(NORMAL * 1e-8, BRAIN).note(LIMIT) is None


def test_values_that_differ_by_less_than_a_step_are_drowned() -> None:
    assert "drowned" in str(seen(1000 + NORMAL * 0.1).note(LIMIT))
    assert "drowned" in str(seen(100 + NORMAL * 0.1, BRAIN).note(LIMIT))
    assert seen(1000 + NORMAL * 100).note(LIMIT) is None


def test_indices_that_the_format_steps_over_are_named() -> None:
    assert seen(np.arange(2049)).fault is None
    assert seen(np.arange(3000)).fault == "integers: whole numbers up to 2999; float16 holds all up to 2048 only"
    assert "integers" in str(seen(np.arange(300), BRAIN).fault)


def test_a_constant_has_no_spread_to_drown_in() -> None:
    assert seen(np.full(16, 0.1)).note(LIMIT) is None
    assert seen(np.zeros(16)).fault is None
    assert seen([]).fault is None


def test_what_is_not_finite_in_float32_is_counted_and_no_fault_of_the_format() -> None:
    found = seen([np.inf, -np.inf, np.nan, 1.0, 2.0])
    assert (found.not_finite, found.magnitude, found.fault) == (3, 2.0, None)
    assert seen([np.nan]).fault is None


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=50))
def test_overflow_is_what_numpy_makes_infinite(values: list[float]) -> None:
    array = np.array(values, dtype=np.float32)
    with np.errstate(over="ignore"):
        infinite = bool(np.isinf(array.astype(np.float16)).any())
    assert bool(seen(array).overflows) == infinite
