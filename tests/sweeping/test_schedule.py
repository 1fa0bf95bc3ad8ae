"""What runs next."""

from __future__ import annotations

from enginewright.sweeping.plan import Step
from enginewright.sweeping.schedule import LIVES, Schedule, chain
from tests.sweeping.toys import plan


def schedule() -> Schedule:
    return Schedule(plan(), {"first": 3.0, "last": 5.0})


def taken(found: Schedule, last_variant: str | None = None) -> Step:
    step = found.take(last_variant)
    assert step is not None
    return step


def test_a_step_waits_for_what_it_needs() -> None:
    found = schedule()
    first = taken(found)
    assert first.outline.name == "first@a"
    assert found.take(None) is None
    found.finish(first.key)
    assert [step.variant for step in found.ready()] == ["x", "y"]


def test_a_worker_stays_with_its_variant() -> None:
    found = schedule()
    found.finish(taken(found).key)
    assert taken(found, "y").variant == "y"
    assert taken(found, "y").variant == "x"


def test_the_rest_of_a_failed_variant_is_not_wanted() -> None:
    found = schedule()
    found.finish(taken(found).key)
    found.fail(taken(found, "x").key)
    assert not found.alive("x")
    assert [step.variant for step in found.wanted()] == ["y"]


def test_a_failed_shared_step_fails_all() -> None:
    found = schedule()
    found.fail(taken(found).key)
    assert found.wanted() == []


def test_a_step_may_cost_so_many_workers_and_no_more() -> None:
    found = schedule()
    again = [found.lose(taken(found).key) for _ in range(LIVES)]
    assert again == [True] * (LIVES - 1) + [False]


def test_time_left_is_that_of_all_steps_and_never_less_than_the_longest_way() -> None:
    assert schedule().seconds_left(1) == 13
    assert schedule().seconds_left(9) == 8


def test_a_chain_is_what_only_its_worker_can_go_on_with() -> None:
    found = schedule()
    assert len(list(chain(found, taken(found)))) == 1  # both variants wait for it
    alone = Schedule(plan(), {})
    alone.fail(list(alone.plan.steps)[2])
    steps = [step.variants for step in chain(alone, taken(alone))]
    assert steps == [["x", "y"]]
