"""The table, the picture of growth, and the list of stages that DVC says it ran."""

from __future__ import annotations

from benchmarks.growth_plot import growth_picture, points
from benchmarks.part import medians
from benchmarks.pipeline import ran
from benchmarks.table import table
from tests.benchmarks.sample import cost


def test_a_row_shows_seconds_memory_ratio_and_budget() -> None:
    part = {"title": "cold run", "pipeline": medians([cost(12.0, 900.0)]), "floor": medians([cost(10.0)])}
    text = table({"cold": part | {"ratio": {"pipeline": 1.2}}, "machine": {"cores": 2}})
    assert "| cold run | pipeline | 12.00 | 12.00 | 900 | 1.2 | 1.15 |" in text
    assert "| cold run | floor | 10.00 | 10.00 | 10 |  |  |" in text


def test_a_tool_is_shown_with_the_ratio_of_the_pipeline_to_it() -> None:
    part = {"title": "build", "tool": medians([cost(4.0)]), "ratio": {"pipeline_to_tool": 0.5}}
    assert "| build | tool | 4.00 | 4.00 | 10 | 0.5 |  |" in table({"step_build": part})


def test_what_was_not_run_says_why() -> None:
    assert "not run: no GPU" in table({"olive_cold": {"title": "t", "ratio": {}, "not_run": {"olive": "no GPU"}}})


def test_points_are_ordered_by_number_and_of_one_turn() -> None:
    part = {name: medians([cost(value)]) for name, value in (("noop_9", 3.0), ("noop_1", 1.0), ("status_1", 0.5))}
    assert points({**part, "title": "t", "commit": "c"}, "noop", "wall_s") == {1: 1.0, 9: 3.0}


def test_the_picture_is_a_png_also_of_nothing() -> None:
    part = {"keypoints_512": medians([cost(2.0)]), "keypoints_1024": medians([cost(4.0)])}
    assert growth_picture({}).startswith(b"\x89PNG")
    assert growth_picture({"growth_keypoints": part}) != growth_picture({})


def test_stages_that_ran_are_read_without_the_probe() -> None:
    printed = "Running stage 'machine/dvc.yaml:probe':\n> x\nRunning stage 'export@disk':\nStage 'cast@disk' is cached"
    assert ran(printed) == ["export@disk"]


def test_the_pipeline_stands_first_and_numbers_are_in_their_order() -> None:
    turns = {name: medians([cost(1.0)]) for name in ("floor", "pipeline", "repeat_16", "repeat_2")}
    rows = table({"cold": {"title": "t", "ratio": {}, **turns}}).splitlines()[2:]
    assert [row.split("|")[2].strip() for row in rows] == ["pipeline", "floor", "repeat_2", "repeat_16"]
