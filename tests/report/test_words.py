from __future__ import annotations

from typing import Any

import pytest

from enginewright.report import words


@pytest.mark.parametrize(
    ("say", "value", "text"),
    [
        (words.count, 1835, "1,835"),
        (words.count, 0, "0"),
        (words.small, 3.14159e-5, "3.14e-05"),
        (words.small, 0, "0"),
        (words.share, 1.0, "100.0 %"),
        (words.share, 0.99999, "99.9 %"),
        (words.share, 0.0, "0.0 %"),
        (words.cosine, 1.0, "1.000000"),
        (words.cosine, 0.99999999, "0.999999"),
        (words.cosine, -0.5, "-0.500000"),
        (words.megabytes, 48.25, "48.2 MB"),
        (words.megabytes, 1234.56, "1,234.6 MB"),
    ],
)
def test_numbers_in_words(say: Any, value: float, text: str) -> None:
    assert say(value) == text


def test_things_are_counted_in_words() -> None:
    assert [words.many(number, "variant") for number in (0, 1, 1200)] == ["0 variants", "1 variant", "1,200 variants"]


@pytest.mark.parametrize("say", [words.count, words.small, words.share, words.cosine, words.megabytes])
def test_what_does_not_exist_is_a_dash(say: Any) -> None:
    assert say(None) == words.NOTHING


@pytest.mark.parametrize(
    ("entry", "state"),
    [({"verdict": "not_run"}, "not_run"), ({"verdict": "failed"}, "failed"), ({}, "done"), ({"verdict": 3}, "done")],
)
def test_state_is_the_verdict_or_done(entry: dict[str, Any], state: str) -> None:
    assert words.state_of(entry) == state
    assert state in words.STATES
