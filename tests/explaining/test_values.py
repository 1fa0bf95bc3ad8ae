"""Leaves of nested values, and how they are told."""

from __future__ import annotations

import pytest

from enginewright.explaining.changes import as_words
from enginewright.explaining.values import ABSENT, leaves, parameter_changes


def test_only_leaves_that_differ_are_found() -> None:
    old = {"a": {"b": 1, "c": [1, 2]}, "d": "x", "e": 1}
    new = {"a": {"b": 2, "c": [1, 2]}, "d": "x", "f": None}
    assert list(leaves(old, new)) == [("a.b", 1, 2), ("e", 1, ABSENT), ("f", ABSENT, None)]


def test_equal_is_what_dvc_calls_equal() -> None:
    assert list(leaves({"a": 1, "b": [1]}, {"a": 1.0, "b": [1.0]})) == []


def test_a_gpu_beside_none_is_one_difference() -> None:
    gpu = {"name": "H200", "driver": "570"}
    assert list(leaves({"gpu": None}, {"gpu": gpu})) == [("gpu", None, gpu)]
    assert list(leaves({"gpu": gpu}, {"gpu": gpu | {"driver": "580"}})) == [("gpu.driver", "570", "580")]


def test_sections_come_and_go_as_one() -> None:
    rows = parameter_changes({"x.model": {"a": 1}, "x.cast": {"b": 1}}, {"x.model": {"a": 2}, "x.build": {"c": 3}})
    assert [str(row) for row in rows] == ["x.model.a 1 -> 2", "x.cast is gone", "x.build is new"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        (True, "true"),
        ([1, "a", None], "[1, a, none]"),
        ({"name": "H200", "driver": None}, "name H200, driver none"),
        ({}, "{}"),
        (ABSENT, "absent"),
        (0.5, "0.5"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    assert as_words(value) == words
