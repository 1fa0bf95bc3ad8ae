"""Turns, and what a run keeps of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latency.kernels import ordered
from benchmarks.latency.keypoints_kept import KeypointsKept
from benchmarks.latency.process import NoAnswerError, Process
from benchmarks.latency.rounds import in_turns, summary


def test_every_round_times_each_once_and_begins_with_another() -> None:
    asked: list[str] = []

    def timed(name: str) -> list[float]:
        asked.append(name)
        return [1.0]

    found = in_turns(["a", "b", "c"], 3, timed)
    assert asked == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert found == {name: [[1.0]] * 3 for name in "abc"}


def test_one_that_fails_is_asked_no_more() -> None:
    found = in_turns(["a", "b"], 3, lambda name: None if name == "a" else [2.0])
    assert found == {"a": [], "b": [[2.0]] * 3}


def test_a_summary_is_of_all_times() -> None:
    told = summary([[1.0, 2.0, 3.0], [4.0, 5.0]])
    assert told["median"] == 3.0
    assert told["rounds"] == [2.0, 4.5]


def test_kernels_are_those_of_the_last_call() -> None:
    spans = [(float(start), 2.0, f"kernel {start % 2}") for start in range(10, 18)]
    told = ordered(spans, calls=4)
    assert told["even"]
    assert told["busy_us"] == 4.0
    assert told["kernels"] == [["kernel 0", 0.0, 2.0], ["kernel 1", 1.0, 2.0]]
    assert ordered([], calls=4)["kernels"] == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os.abort()", "ended with -6"),
        ('input(); print(\'{"error": "no kernel"}\', flush=True); input()', "no kernel"),
        ("input(); input()", "no answer"),
    ],
)
def test_a_worker_that_fails_says_why(tmp_path: Path, code: str, why: str) -> None:
    process = Process([sys.executable, "-c", code], tmp_path / "logs" / "worker.log")
    process.ask(do="load")
    with pytest.raises(NoAnswerError, match=why):
        process.answer(3.0)
    process.end()


def test_a_keypoint_is_kept_where_it_hardly_moved() -> None:
    expected = {
        "keypoints": np.array([[[1.0, 1.0], [5.0, 5.0], [0.0, 0.0]]]),
        "descriptors": np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]),
        "valid": np.array([[1, 1, 0]]),
    }
    moved = np.array([[[5.04, 5.0], [1.0, 1.2], [0.0, 0.0]]])
    actual = expected | {"keypoints": moved, "descriptors": expected["descriptors"][:, [1, 0, 2]]}
    kept = KeypointsKept()
    kept.add(expected, actual)
    assert (kept.original, kept.found, kept.common, kept.cosine_min) == (2, 2, 1, 1.0)
