from __future__ import annotations

from enginewright.pages.repeats import Repeats


def test_what_was_told_is_told_again_by_its_name_alone() -> None:
    repeats = Repeats()
    assert repeats.part("key", "first", "details-1") == ("", "")
    assert repeats.part("other", "second", "details-2") == ("", "")
    assert repeats.part("key", "second", "details-2") == ("first", "details-1")


def test_parameters_are_told_whole_once_and_then_where_they_differ() -> None:
    repeats = Repeats()
    values = {"export": {"opset": 18}, "cast": {"precision": "fp32"}, "compare": {"outputs": {"scores": 0.01}}}
    assert "opset: 18" in repeats.parameters("disk", "first", values)
    changed = {**values, "export": {"opset": 20}, "compare": {"outputs": {}}}
    assert repeats.parameters("disk", "second", changed).splitlines() == [
        "as of first, but",
        "export.opset: 20",
        "compare.outputs.scores: not set",
    ]
    assert repeats.parameters("disk", "third", values) == "as of first"
    assert "as of" not in repeats.parameters("other", "second", values), "another network"
    assert repeats.parameters("none", "first", {}) == ""
