"""Artifacts against the reference over all samples: errors, curves, verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from enginewright.comparing.compare import Comparison, compare_graphs
from enginewright.config.sections import CompareConfig
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.graphs.provider import CPU
from enginewright.reference import Arrays
from enginewright.verdicts import PASSED, State
from tests.comparing.graphs import CONTRACT, artifact, reference

CONFIG = CompareConfig()


def compared(folder: Path, *kinds: str, samples: int = 3) -> dict[str, Comparison]:
    graphs = {kind: artifact(folder, kind) for kind in kinds}
    return compare_graphs(graphs, reference(samples), CONFIG, CPU)


def test_a_sound_artifact_passes_without_error(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "sound")["sound"]
    assert comparison.verdict("sound", CONFIG) == PASSED
    errors = comparison.metrics()["y"]
    assert errors == {"max_abs": 0.0, "mean_abs": 0.0, "p99_abs": 0.0, "cosine": pytest.approx(1.0)}
    assert "missing" not in errors


def test_errors_are_those_over_all_samples(tmp_path: Path) -> None:
    comparison, x = compared(tmp_path, "off")["off"], reference(3).inputs["x"]
    errors = comparison.metrics()["y"]
    difference = 0.1 * np.abs(x)
    assert errors["max_abs"] == pytest.approx(difference.max(), rel=1e-4)
    assert errors["mean_abs"] == pytest.approx(difference.mean(), rel=1e-4)
    assert errors["cosine"] == pytest.approx(1.0)
    verdict = comparison.verdict("off", CONFIG)
    assert verdict.state is State.failed
    assert "off.y.max_abs is" in verdict.reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("nan", "the output y has"),
        ("inf", "the output y has 4 NaN or Inf of 4"),
        ("empty", "the output y is empty"),
        ("double", "the output y is float64, not float32"),
        ("missing", "the output y is missing"),
        ("wide", "the output y has shape (1, 8), the reference (1, 4)"),
    ],
)
def test_an_output_that_cannot_be_compared_fails_with_the_reason(tmp_path: Path, kind: str, reason: str) -> None:
    comparison = compared(tmp_path, kind)[kind]
    verdict = comparison.verdict("typed", CompareConfig(max_abs=1e9, mean_abs=1e9, p99_abs=1e9, cosine=-1))
    assert verdict.state is State.failed
    assert verdict.reason.startswith(f"typed: {reason}")
    if kind != "nan":
        assert comparison.metrics() == {}
        assert comparison.curve_rows("typed") == []


def test_one_unusable_sample_among_sound_ones_fails() -> None:
    comparison, expected = Comparison(), {"y": np.ones((1, 4), np.float32)}
    broken = {"y": np.array([[1, 1, np.nan, 1]], np.float32)}
    for actual in (expected, broken, expected):
        comparison.add(expected, actual, CONTRACT, 0.5)
    assert comparison.verdict("typed", CONFIG).reason == "typed: the output y has 1 NaN or Inf of 4"
    assert comparison.metrics()["y"]["max_abs"] == 0


def test_no_sample_at_all_fails(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "sound", samples=0)["sound"]
    assert comparison.verdict("sound", CONFIG).reason == "sound: there was nothing to compare"


def test_artifacts_of_the_same_bytes_run_once(tmp_path: Path) -> None:
    graphs = {name: artifact(tmp_path, "sound", name) for name in ("exported", "simplified")}
    graphs["typed"] = artifact(tmp_path, "off")
    found = compare_graphs(graphs, reference(), CONFIG, CPU)
    assert list(found) == ["exported", "simplified", "typed"]
    assert found["exported"] is found["simplified"]
    assert len(found["exported"].shapes[""].errors["y"]) == 3
    assert found["typed"].metrics() != found["exported"].metrics()


def test_curves_go_from_the_least_error_to_the_largest(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "off")["off"]
    rows = comparison.curve_rows("typed")
    assert [row["quantile"] for row in rows] == [round(0.05 * step, 2) for step in range(21)]
    assert {row["series"] for row in rows} == {"typed y"}
    errors = [row["error"] for row in rows]
    assert errors == sorted(errors)
    assert errors[-1] == pytest.approx(comparison.metrics()["y"]["max_abs"], rel=1e-5)
    assert errors[0] > 0


SLOTS = ("batch", "keypoints")
EXTRACTOR = Contract(
    kind=Kind.extractor,
    inputs=CONTRACT.inputs,
    outputs=(
        Port("keypoints", (*SLOTS, "xy"), rule=Rule.aligned),
        Port("valid", SLOTS, dtype="int32", rule=Rule.aligned),
        Port("index", SLOTS, dtype="int32", rule=Rule.equal),
    ),
)


def points(*places: tuple[float, float], slots: int = 4) -> Arrays:
    found = np.zeros((1, slots, 2), np.float32)
    found[0, : len(places)] = np.array(places).reshape(-1, 2)
    valid = (np.arange(slots) < len(places)).astype(np.int32)[None]
    return {"keypoints": found, "valid": valid, "index": np.zeros((1, slots), np.int32)}


def judged(expected: Arrays, actual: Arrays, config: CompareConfig = CONFIG) -> tuple[State, str, Comparison]:
    comparison = Comparison()
    comparison.add(expected, actual, EXTRACTOR, config.align_px)
    verdict = comparison.verdict("typed", config)
    return verdict.state, verdict.reason, comparison


def test_keypoints_that_changed_places_pass() -> None:
    state, _, comparison = judged(points((5, 5), (9, 9)), points((9, 9), (5, 5)))
    assert state is State.passed
    assert comparison.metrics()["keypoints"]["missing"] == 0
    assert {row["series"] for row in comparison.curve_rows("typed")} == {"typed keypoints", "typed valid"}


def test_a_keypoint_without_a_counterpart_is_a_breach_of_its_own_limit() -> None:
    expected, actual = points((5, 5), (9, 9)), points((5, 5), (70, 9))
    state, reason, comparison = judged(expected, actual)
    assert (state, comparison.metrics()["keypoints"]["missing"]) == (State.failed, 0.5)
    assert reason == "typed: 50.00% of keypoints have no counterpart, more than 0.00%"
    assert judged(expected, actual, replace(CONFIG, missing=0.5))[0] is State.passed


def test_the_worst_sample_decides_how_many_are_missing() -> None:
    comparison = Comparison()
    for actual in (points((5, 5), (9, 9)), points((5, 5))):
        comparison.add(points((5, 5), (9, 9)), actual, EXTRACTOR, 0.5)
    assert comparison.metrics()["keypoints"]["missing"] == 0.5
    assert comparison.verdict("typed", CONFIG).state is State.failed


def test_an_image_without_keypoints_agrees_with_one_without() -> None:
    comparison = Comparison()
    for both in (points(), points((5, 5))):
        comparison.add(both, both, EXTRACTOR, 0.5)
    assert comparison.verdict("typed", CONFIG) == PASSED
    assert comparison.metrics()["keypoints"]["missing"] == 0


def test_an_artifact_that_finds_nothing_fails_however_it_is_looked_at() -> None:
    comparison = Comparison()
    for actual in (points(), points((5, 5))):
        comparison.add(points((5, 5)), actual, EXTRACTOR, 0.5)
    assert "100.00% of keypoints have no counterpart" in comparison.verdict("typed", CONFIG).reason
    alone = Comparison()
    aligned_only = replace(EXTRACTOR, outputs=EXTRACTOR.outputs[:2])
    alone.add(points((5, 5)), points(), aligned_only, 0.5)
    assert alone.verdict("typed", CONFIG).state is State.failed
    assert alone.metrics() == {}


def test_differing_indices_are_a_breach() -> None:
    expected, actual = points((5, 5)), points((5, 5))
    actual["index"][0, 0] = 7
    state, reason, comparison = judged(expected, actual)
    assert state is State.failed
    assert comparison.metrics()["index"]["mean_abs"] == 0.25
    assert "typed.index.max_abs is 1" in reason


def test_an_artifact_without_a_single_pair_says_so() -> None:
    aligned = replace(EXTRACTOR, outputs=tuple(port for port in EXTRACTOR.outputs if port.rule is Rule.aligned))
    comparison = Comparison()
    comparison.add(points((5, 5)), points((50, 50)), aligned, 0.5)
    verdict = comparison.verdict("typed", CONFIG)
    assert (verdict.state, verdict.reason) == (State.failed, "typed: no keypoint has a counterpart")
