"""The order of a pipeline."""

from __future__ import annotations

from enginewright.lineage.order import in_order


def test_each_comes_after_what_it_needs_and_otherwise_as_given() -> None:
    needs = {
        "report": ["cast@b", "cast@a"],
        "export@a": [],
        "export@b": [],
        "cast@a": ["export@a"],
        "cast@b": ["export@b"],
    }
    assert in_order(needs) == ["export@a", "export@b", "cast@a", "cast@b", "report"]
    assert in_order({}) == []
