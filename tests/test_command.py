"""Values of a command line."""

from __future__ import annotations

import argparse

import pytest

from enginewright.command import at_least_one, pattern


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "two", "", "²", "1e3"])
def test_what_is_no_number_of_things_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no whole number from 1"):
        at_least_one(text)


def test_a_number_of_things_is_one() -> None:
    assert at_least_one("12") == 12


def test_a_regular_expression_is_checked_before_it_is_used() -> None:
    assert pattern("^torch") == "^torch"
    with pytest.raises(argparse.ArgumentTypeError, match="is no regular expression"):
        pattern("(")
