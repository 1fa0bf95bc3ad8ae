"""Which steps are the same."""

from __future__ import annotations

from enginewright.sweeping.plan import plan_of
from tests.sweeping.toys import PROBE, entry, outline, outlines, plan, stage


def test_a_shared_stage_is_one_step() -> None:
    found = plan()
    assert [(step.outline.name, step.variants) for step in found.steps.values()] == [
        ("first@a", ["x", "y"]),
        ("last@a", ["x"]),
        ("last@a", ["y"]),
    ]


def test_a_step_follows_from_what_it_needs() -> None:
    other = plan_of({"x": outline(stage("first@a", "other"), stage("last@a", "x", "first@a"))}, PROBE)
    assert set(other.steps).isdisjoint(plan().steps)


def test_another_machine_makes_other_steps_of_stages_that_depend_on_it() -> None:
    assert set(plan_of(outlines(), {"tool": {"version": "2"}}).steps).isdisjoint(plan().steps)
    assert set(plan_of(outlines(), {**PROBE, "unused": 1}).steps) == set(plan().steps)


def test_a_task_has_the_entries_that_it_needs() -> None:
    found = plan()
    first, last = list(found.steps.values())[:2]
    task = found.task(last, {first.key: entry("first@a")})
    assert task.lock == {"first@a": entry("first@a")}
    assert task.inputs == ("out/first@a",)
    assert task.outs == ("out/first@a", "out/last@a")
    assert found.task(last, {}).after({"first@a": 1}).lock == {"first@a": 1}
