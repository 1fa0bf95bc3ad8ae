from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enginewright.pages.costs import ENGINE, GRAPH, LATENCY, decisive, front
from enginewright.pages.variant import Variant
from tests.pages.sample import broken, measured, variant


def names(variants: list[Variant]) -> list[str]:
    return [one.name for one in variants]


def test_the_front_is_what_no_other_beats_in_both() -> None:
    variants = [measured("slow", 9.0), measured("fast", 3.0, 99), measured("poor", 4.0, 98), measured("best", 5.0)]
    assert names(front(variants, LATENCY, 0.0)) == ["fast", "best"]


def test_equals_are_both_on_the_front() -> None:
    assert names(front([measured("a", 3.0), measured("b", 3.0)], LATENCY, 0.0)) == ["a", "b"]


def test_costs_that_differ_by_less_than_a_tie_are_equal() -> None:
    variants = [measured("a", 3.0), measured("b", 3.05), measured("c", 3.2), measured("d", 3.05, 99)]
    assert names(front(variants, LATENCY, 0.02)) == ["a", "b"], "what keeps less is beaten by what costs a trifle less"


def test_what_breached_a_gate_is_not_on_the_front_however_cheap() -> None:
    assert names(front([broken("cheap", latency_ms=1.0), measured("dear", 5.0)], LATENCY, 0.0)) == ["dear"]


def test_what_has_no_cost_or_no_matches_is_not_on_the_front() -> None:
    assert front([variant("a"), variant("b", kept=None, engine_mb=1.0)], ENGINE, 0.0) == [] == front([], ENGINE, 0.0)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), min_size=1, max_size=12))
def test_everything_off_the_front_is_beaten_by_something_on_it(points: list[tuple[int, int]]) -> None:
    variants = [measured(f"v{number}", float(cost), kept) for number, (cost, kept) in enumerate(points)]
    best = front(variants, LATENCY, 0.0)
    assert best
    for one in variants:
        assert any(beats(two, one) for two in best) != (one in best)


def beats(one: Variant, other: Variant) -> bool:
    (ours, our_kept), (theirs, their_kept) = (
        (it.latency_ms or 0, it.kept.common if it.kept else 0) for it in (one, other)
    )
    return (ours, our_kept) != (theirs, their_kept) and ours <= theirs and our_kept >= their_kept


def test_latency_decides_only_where_all_were_measured_on_one_device() -> None:
    here = [measured("a", 3.0, engine_mb=1.0), measured("b", 4.0, engine_mb=2.0)]
    assert decisive(here) is LATENCY
    assert decisive([*here, variant("c", engine_mb=3.0)]) is ENGINE
    other = variant("d", latency_ms=1.0, device="another", engine_mb=1.0)
    assert decisive([*here, other]) is ENGINE
    assert decisive([variant("e", graph_mb=1.0)]) is GRAPH
    assert decisive([variant("f")]) is None
