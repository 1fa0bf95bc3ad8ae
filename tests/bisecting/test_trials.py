"""Delta debugging finds what is needed, within its bound, and asks nothing twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.bisecting.trials import Trials, smallest


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1))))
def test_whatever_is_needed_is_found_and_nothing_else(case: tuple[int, set[int]]) -> None:
    count, needed = case
    assert set(smallest(range(count), lambda chosen: needed <= set(chosen))) == needed


def test_a_part_of_several_that_would_do_is_one_from_which_nothing_can_be_left_out() -> None:
    def passes(chosen: Sequence[int]) -> bool:
        return {1, 6} <= set(chosen) or {3} <= set(chosen)

    found = smallest(range(8), passes)
    assert passes(found)
    assert all(not passes([item for item in found if item != one]) for one in found)


def test_one_needed_of_many_takes_few_trials() -> None:
    trials = Trials(lambda chosen: "700" in chosen, 1000)
    found = smallest([str(number) for number in range(1024)], lambda chosen: trials(frozenset(chosen)))
    assert found == ["700"]
    assert len(trials) <= 20


def test_an_answer_is_remembered() -> None:
    asked: list[frozenset[str]] = []
    trials = Trials(lambda chosen: bool(asked.append(chosen)), 9)  # type: ignore[func-returns-value]
    assert [trials(frozenset("a")), trials(frozenset("a"))] == [False, False]
    assert len(asked) == len(trials) == 1


@pytest.mark.parametrize("most", [1, 2, 5])
def test_spent_trials_fail_and_say_so_but_what_is_known_stays_known(most: int) -> None:
    ticks: list[float] = []
    trials = Trials(lambda chosen: True, most, ticks.append)
    for number in range(most):
        assert trials(frozenset([str(number)]))
    assert not trials.spent
    assert not trials(frozenset("new"))
    assert trials.spent
    assert trials(frozenset("0"))
    assert ticks == list(range(1, most + 1))
