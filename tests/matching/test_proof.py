from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from enginewright.config.sections import DataConfig, MatchConfig
from enginewright.errors import BuildError, DataError, GraphError, RequirementError
from enginewright.images import load_pairs
from enginewright.matching.features import Matched
from enginewright.matching.original import original_matches
from enginewright.matching.proof import Task, prove
from enginewright.verdicts import State
from tests.matching.tiny_chain import HEIGHT, SHAPE, THRESHOLD, WIDTH, references


@pytest.fixture(scope="module")
def task() -> Task:
    pairs = load_pairs(DataConfig(photographs=["coffee"]), HEIGHT, WIDTH)
    original = original_matches(*references(pairs), pairs, THRESHOLD)
    return Task(pairs, original, SHAPE, THRESHOLD, MatchConfig())


def raising(error: Exception) -> Sequence[Matched]:
    raise error


def test_the_original_proves_itself(task: Task) -> None:
    outcome = prove(task, lambda: task.original)
    metrics = outcome.as_metrics()
    assert outcome.verdict.state is State.passed
    assert metrics["verdict"] == "passed"
    assert metrics["matches"] == metrics["common"] == sum(map(len, task.original))
    assert outcome.matched is task.original


def test_matches_of_the_wrong_pair_fail(task: Task) -> None:
    outcome = prove(task, lambda: task.original[::-1])
    assert outcome.verdict.state is State.failed
    assert "matches kept" in outcome.verdict.reason
    json.dumps(outcome.as_metrics(), allow_nan=False)


def test_missing_hardware_is_not_run_without_numbers(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)
    outcome = prove(task, lambda: raising(RequirementError("the engine cannot run", got="no GPU")))
    assert outcome.as_metrics() == {"verdict": "not_run", "reason": "the engine cannot run: no GPU"}
    assert not outcome.matched


def test_missing_hardware_is_an_error_where_a_gpu_is_required(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="REQUIRE_GPU=1 forbids"):
        prove(task, lambda: raising(RequirementError("no GPU")))


@pytest.mark.parametrize("error", [GraphError("does not load"), BuildError("does not load")])
def test_artifact_that_does_not_work_fails(task: Task, error: Exception) -> None:
    assert prove(task, lambda: raising(error)).as_metrics() == {"verdict": "failed", "reason": "does not load"}


def test_other_errors_are_not_the_artifacts_fault(task: Task) -> None:
    with pytest.raises(DataError):
        prove(task, lambda: raising(DataError("no images")))


def test_artifact_that_answers_for_too_few_pairs_is_a_bug(task: Task) -> None:
    with pytest.raises(ValueError, match="zip"):
        prove(task, lambda: task.original[:1])


def test_original_has_numbers_and_no_verdict(task: Task) -> None:
    metrics = task.original_metrics()
    assert metrics["matches"] == sum(map(len, task.original))
    confidence = metrics["confidence"]
    assert THRESHOLD < confidence["min"] <= confidence["mean"] <= confidence["max"] <= 1
    assert 0 <= metrics["precision_1px"] <= metrics["precision_3px"] <= metrics["precision_5px"] <= 1
    assert "verdict" not in metrics
