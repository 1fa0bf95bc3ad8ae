"""Paths that lie in one another."""

from __future__ import annotations

import pytest

from enginewright.lineage.paths import overlap


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [("a/b", "a/b", True), ("a", "a/b/c", True), ("a/b/c", "a", True), ("a/b", "a/bc", False), ("a", "b", False)],
)
def test_paths_overlap(one: str, other: str, wanted: bool) -> None:
    assert overlap(one, other) is wanted
