"""Rounding to a format is the hardware's: to the nearest, ties to even, Inf beyond the largest."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from enginewright.rehearsing.formats import FORMATS

TYPES: dict[int, Any] = {TensorProto.FLOAT16: np.float16, TensorProto.BFLOAT16: ml_dtypes.bfloat16}


@pytest.mark.parametrize("kind", TYPES)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=30))
def test_rounding_is_that_of_the_type_itself(kind: int, values: list[float]) -> None:
    array = np.array(values, dtype=np.float32)
    with np.errstate(over="ignore"):
        expected = array.astype(TYPES[kind]).astype(np.float32)
    np.testing.assert_array_equal(FORMATS[kind].rounded(array), expected)


@pytest.mark.parametrize("kind", TYPES)
def test_the_largest_number_and_the_exact_integers_are_those_of_the_type(kind: int) -> None:
    found = FORMATS[kind]
    assert found.largest == float(ml_dtypes.finfo(TYPES[kind]).max)  # type: ignore[no-untyped-call]
    whole = np.arange(found.exact_integers + 2, dtype=np.float32)
    assert np.array_equal(found.rounded(whole[:-1]), whole[:-1])
    assert found.rounded(whole[-1:])[0] != whole[-1]
