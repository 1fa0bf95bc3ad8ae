"""Budgets and earlier results: what is over, what got worse, and since which commit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.budgets import BUDGETS, ratios
from benchmarks.history import RESULTS, entries, findings, missing

KEY = "cold.ratio.pipeline"
PEER = "step_build.ratio.pipeline_to_polygraphy"


def results(value: float, commit: str = "now", key: str = KEY) -> dict[str, Any]:
    part, _, name = key.split(".")
    return {part: {"commit": commit, "ratio": {name: value}, "pipeline": {"wall_s": 99.0}}}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.email", "test@example.com")
    git(tmp_path, "config", "user.name", "test")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    return subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def committed(folder: Path, content: dict[str, Any] | str) -> str:
    path = folder / RESULTS
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "results")
    return git(folder, "rev-parse", "--short", "HEAD")


def told(repository: Path, now: dict[str, Any]) -> list[str]:
    return [finding.told() for finding in findings(now, entries(repository))]


def test_only_ratios_are_judged() -> None:
    assert ratios(results(1.1)) == {KEY: 1.1}


def test_what_is_within_its_budget_and_as_good_as_before_is_no_finding(repository: Path) -> None:
    committed(repository, results(1.10, "a1"))
    assert told(repository, results(1.12)) == []


def test_a_ratio_over_its_budget_names_the_last_commit_within_it_and_the_first_above(repository: Path) -> None:
    for value, commit in ((1.14, "a1"), (1.13, "b2"), (1.2, "c3"), (1.21, "d4")):
        committed(repository, results(value, commit))
    (line,) = told(repository, results(1.22))
    assert line == f"{KEY} is 1.220, over its budget of 1.150: last within at b2 (1.130), above it since c3"


def test_a_ratio_that_was_never_within_its_budget_says_so(repository: Path) -> None:
    committed(repository, results(1.3, "a1"))
    (line,) = told(repository, results(1.31))
    assert line.endswith("never within it before, above it since a1")


def test_what_is_over_for_the_first_time_is_above_in_this_run(repository: Path) -> None:
    committed(repository, results(1.14, "a1"))
    (line,) = told(repository, results(1.2))
    assert line.endswith("last within at a1 (1.140), above it in this run")


def test_a_ratio_without_a_budget_that_got_worse_is_found_too(repository: Path) -> None:
    for value, commit in ((2.0, "a1"), (1.0, "b2"), (1.05, "c3"), (1.3, "d4")):
        committed(repository, results(value, commit, PEER))
    (line,) = told(repository, results(1.2, key=PEER))
    assert "worse than the best so far and noise, 1.100" in line
    assert line.endswith("last within at c3 (1.050), above it since d4")


def test_a_commit_that_holds_no_json_or_not_this_figure_is_passed_over(repository: Path) -> None:
    committed(repository, results(1.14, "a1"))
    committed(repository, "<<<<<<< no JSON")
    committed(repository, results(3.0, "c3", PEER))
    (line,) = told(repository, results(1.2))
    assert "last within at a1" in line


def test_without_a_commit_of_its_own_a_figure_is_that_of_the_commit_that_holds_it(repository: Path) -> None:
    old = results(1.14)
    del old["cold"]["commit"]
    commit = committed(repository, old)
    (line,) = told(repository, results(1.2))
    assert f"last within at {commit}" in line


def test_without_history_budgets_hold_all_the_same(repository: Path) -> None:
    committed(repository, "{}")
    (line,) = told(repository, results(1.2))
    assert line.endswith("never within it before, above it in this run")


def test_a_budget_that_was_not_measured_is_missing() -> None:
    assert missing(results(1.0)) == [key for key in BUDGETS if key != KEY]
