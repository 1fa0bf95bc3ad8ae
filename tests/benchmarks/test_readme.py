"""The table in the README is written over, and nothing else."""

from __future__ import annotations

from benchmarks.part import medians
from benchmarks.readme import README, with_table
from tests.benchmarks.sample import cost

RESULTS = {
    "cold": {
        "title": "cold run",
        "floor": medians([cost(3.0)]),
        "ratio": {},
        "commit": "abc",
        "hardware": "2 CPU cores, no GPU",
        "rounds": 3,
    }
}


def test_a_second_table_takes_the_place_of_the_first() -> None:
    text = README.read_text(encoding="utf-8")
    once = with_table(text, RESULTS)
    assert with_table(once, RESULTS) == once
    assert "| cold run | floor | 3.00 |" in once
    assert "Commit abc, 2 CPU cores, no GPU, 3 rounds: cold." in once


def test_the_text_around_it_stays() -> None:
    text = README.read_text(encoding="utf-8")
    before, after = text[: text.index("<!--")], text[text.rindex("-->") :]
    found = with_table(text, RESULTS)
    assert found.startswith(before)
    assert found.endswith(after)
