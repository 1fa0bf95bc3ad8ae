"""The search by module, then by node, on sets that pass or fail by decree."""

from __future__ import annotations

from collections.abc import Callable

from enginewright.bisecting.search import search
from enginewright.bisecting.trials import Trials

GROUPS = {f"module{number}": [f"{number}{letter}" for letter in "abcd"] for number in range(6)}
EVERY = frozenset(node for nodes in GROUPS.values() for node in nodes)
BASE = frozenset({"base"})


def needs(*nodes: str) -> Callable[[frozenset[str]], bool]:
    return lambda chosen: BASE.union(nodes) <= chosen


def test_where_the_base_passes_nothing_is_added_with_one_trial() -> None:
    found = search(BASE, GROUPS, Trials(needs(), 9))
    assert (found.further, found.spent, found.trials) == (frozenset(), False, 1)


def test_nodes_of_several_modules_are_found() -> None:
    found = search(BASE, GROUPS, Trials(needs("1b", "4a", "4d"), 99))
    assert found.further == frozenset({"1b", "4a", "4d"})
    assert not found.spent


def test_where_not_even_everything_helps_nothing_is_proposed() -> None:
    assert search(BASE, GROUPS, Trials(lambda chosen: False, 9)).further is None


def test_a_spent_search_gives_a_set_that_passes() -> None:
    for most in range(2, 30):
        found = search(BASE, GROUPS, Trials(needs("1b", "4a"), most))
        assert found.further is not None
        assert {"1b", "4a"} <= found.further <= EVERY
        assert found.trials <= most
        assert found.spent or found.further == frozenset({"1b", "4a"})


def test_a_group_that_is_not_needed_after_all_is_put_back() -> None:
    """Two ways out: by 0a and 5d, or by 5d alone once nothing else of module5 is there. Only the last step finds it."""

    def passes(chosen: frozenset[str]) -> bool:
        rest = chosen - BASE
        return {"0a", "5d"} <= rest or rest == {"5d"}

    assert search(BASE, GROUPS, Trials(passes, 99)).further == frozenset({"5d"})


def test_a_base_alone_with_no_candidates_fails() -> None:
    assert search(BASE, {}, Trials(lambda chosen: False, 9)).further is None
