"""JSON that is none of ours: lists, NaN, endless numbers, keys that stand twice, depth."""

from __future__ import annotations

import pytest

from enginewright.json_text import load_object


def test_an_object_is_read_from_text_and_from_bytes() -> None:
    assert load_object('{"a": [1, 2.5, null, "ä"]}') == load_object('{"a": [1, 2.5, null, "ä"]}'.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "7",
        "null",
        '"text"',
        "{",
        '{"a": 1} x',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        '{"b": {"a": 1, "c": 0, "a": 2}}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' * 100_000,
        b"\xff\xfe",
        b"\x00",
    ],
    ids=range(17),
)
def test_everything_else_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_object(text)
