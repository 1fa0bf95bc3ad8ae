"""Files that are nearly right: valid ones with a few bytes, or a value somewhere within, changed."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("ENGINEWRIGHT_FUZZ_EXAMPLES", "20"))
"""Files for each reader: few in every run of the tests, more where somebody asks for them (python -m tests.torture)."""

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 20,  # the ordinary tests are the same every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "x", "../x", "a\0b", "\ud7ff", "NaN", "1e999", "__class__"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return a copy of valid bytes, cut, doubled, filled or flipped in up to four places; or something else at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(len(data), start + draw(st.sampled_from([1, 2, 4, 8, 64])))
        new = draw(
            st.sampled_from([b"", bytes(data[start:end]) * 2, b"\xff" * (end - start), b"\0" * (end - start)])
            | st.binary(max_size=8)
        )
        data[start:end] = new
    return bytes(data)


@st.composite
def json_like(draw: st.DrawFn, valid: Any) -> str:
    """Return the text of a JSON value in which a few values, keys or items are others, or gone."""
    value = json.loads(json.dumps(valid))
    for _ in range(draw(st.integers(1, 3))):
        value = _replaced(draw, value)
    return json.dumps(value)


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 4)) == 0:
        return draw(VALUES)
    key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    if draw(st.integers(0, 6)) == 0:
        del value[key]
    else:
        value[key] = _replaced(draw, value[key])
    return value
