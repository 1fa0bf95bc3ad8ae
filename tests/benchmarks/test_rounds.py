"""The interleaved run: turns in turn, failures that stop nothing else, and ratios of the same round."""

from __future__ import annotations

from benchmarks.rounds import measure
from tests.benchmarks.sample import Sample


def test_turns_are_interleaved_round_by_round() -> None:
    part = Sample({"pipeline": [2.0, 6.0, 3.0], "floor": [1.0, 2.0, 3.0]})
    measure([part], 3)
    assert part.order == ["pipeline", "floor"] * 3


def test_ratios_are_medians_of_the_ratios_of_each_round() -> None:
    part = Sample({"pipeline": [2.0, 6.0, 3.0], "floor": [1.0, 2.0, 3.0]})
    found = measure([part], 3)["cold"]
    assert found["ratio"] == {"pipeline": 2.0}
    assert found["pipeline"]["wall_s"] == 3.0
    assert found["floor"]["wall_s"] == 2.0


def test_a_turn_that_fails_is_not_run_and_says_why() -> None:
    part = Sample({"pipeline": [2.0, 2.0], "peer": [None, 1.0], "floor": [1.0, 1.0]})
    found = measure([part], 2)["cold"]
    assert found["not_run"] == {"peer": "out of luck"}
    assert part.order.count("peer") == 1
    assert found["ratio"] == {"pipeline": 2.0}


def test_a_part_that_cannot_be_prepared_is_not_run() -> None:
    found = measure([Sample({"pipeline": [1.0]}, ready=False)], 1)["cold"]
    assert found["not_run"] == {"all": "no such package"}
    assert found["ratio"] == {}
