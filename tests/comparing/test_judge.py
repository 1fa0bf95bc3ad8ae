"""Errors against tolerances, and outputs that cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from enginewright.comparing.judge import Matches, judge_errors, misshapen, unusable
from enginewright.comparing.measure import Errors
from enginewright.config.sections import CompareConfig
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.reference import Arrays
from enginewright.verdicts import PASSED, State

CONTRACT = Contract(
    kind=Kind.matcher,
    inputs=(),
    outputs=(Port("matches", ("batch",), dtype="int32", rule=Rule.equal), Port("mscores", ("batch",))),
)
CONFIG = CompareConfig(max_abs=1e-2, mean_abs=1e-4, p99_abs=1e-3, cosine=0.999, missing=0.1)
WITHIN_ALL = Errors(0.0, 0.0, 0.0, 1.0)
WITHIN = Errors(max_abs=1e-2, mean_abs=1e-4, p99_abs=1e-3, cosine=0.999)


def good() -> Arrays:
    return {"matches": np.array([0, -1], np.int32), "mscores": np.array([0.5, 0.0], np.float32)}


def test_sound_outputs_are_usable() -> None:
    assert unusable(good(), CONTRACT) is None
    assert unusable(good() | {"more": np.empty(0)}, CONTRACT) is None


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (None, "the output mscores is missing"),
        (np.empty((1, 0), np.float32), "the output mscores is empty"),
        (np.array([0.5, 0.0]), "the output mscores is float64, not float32"),
        (np.array([0.5, 0.0], np.float16), "the output mscores is float16, not float32"),
        (np.array([1, 0], np.int32), "the output mscores is int32, not float32"),
        (np.array([np.nan, 0.5], np.float32), "the output mscores has 1 NaN or Inf of 2"),
        (np.array([np.inf, -np.inf], np.float32), "the output mscores has 2 NaN or Inf of 2"),
    ],
)
def test_what_cannot_be_compared_is_named(array: np.ndarray | None, reason: str) -> None:
    outputs = good()
    del outputs["mscores"]
    assert unusable(outputs if array is None else outputs | {"mscores": array}, CONTRACT) == reason


def test_another_shape_is_named() -> None:
    assert misshapen(good(), good(), CONTRACT) is None
    other = good() | {"matches": np.zeros((1, 2), np.int32)}
    assert misshapen(good(), other, CONTRACT) == "the output matches has shape (1, 2), the reference (2,)"


def test_errors_at_the_tolerance_pass() -> None:
    assert judge_errors("typed", {"scores": WITHIN}, 0.1, CONFIG) == PASSED


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("max_abs", 0.02, "typed.scores.max_abs is 0.02, more than 0.01"),
        ("mean_abs", 2e-4, "typed.scores.mean_abs is 0.0002, more than 0.0001"),
        ("p99_abs", float("inf"), "typed.scores.p99_abs is inf, more than 0.001"),
        ("max_abs", float("nan"), "typed.scores.max_abs is nan, more than 0.01"),
        ("cosine", 0.998, "typed.scores.cosine is 0.9980000, less than 0.999"),
        ("cosine", float("nan"), "typed.scores.cosine is nan, less than 0.999"),
    ],
)
def test_each_breach_is_named_with_value_and_limit(name: str, value: float, reason: str) -> None:
    verdict = judge_errors("typed", {"scores": Errors(**(vars(WITHIN) | {name: value}))}, 0.0, CONFIG)
    assert (verdict.state, verdict.reason) == (State.failed, reason)


def test_all_breaches_are_named() -> None:
    bad = Errors(1.0, 1.0, 1.0, -1.0)
    verdict = judge_errors("exported", {"scores": bad, "keypoints": WITHIN, "descriptors": bad}, 0.25, CONFIG)
    reasons = verdict.reason.split("; ")
    assert len(reasons) == 9
    assert reasons[-1] == "exported: 25.00% of keypoints have no counterpart, more than 10.00%"
    assert not [reason for reason in reasons if "keypoints." in reason]


def test_a_tolerance_of_one_output_scales_all_its_limits_and_no_others() -> None:
    config = CompareConfig(max_abs=1e-2, mean_abs=1e-4, p99_abs=1e-3, cosine=0.999, outputs={"scores": 1.0})
    scaled = Errors(max_abs=0.99, mean_abs=0.0099, p99_abs=0.099, cosine=0.999)
    assert judge_errors("typed", {"scores": scaled}, 0.0, config) == PASSED
    assert judge_errors("typed", {"descriptors": scaled}, 0.0, config).reason.count("descriptors") == 3
    for name, value in (("max_abs", 1.1), ("mean_abs", 0.011), ("p99_abs", 0.11), ("cosine", 0.9)):
        verdict = judge_errors("typed", {"scores": Errors(**(vars(scaled) | {name: value}))}, 0.0, config)
        assert f"typed.scores.{name}" in verdict.reason


def test_a_tolerance_of_one_output_can_be_tighter() -> None:
    config = CompareConfig(max_abs=1e-2, mean_abs=1e-4, p99_abs=1e-3, outputs={"scores": 1e-4})
    verdict = judge_errors("typed", {"scores": Errors(0.0, 2e-6, 0.0, 1.0)}, 0.0, config)
    assert verdict.reason == "typed.scores.mean_abs is 2e-06, more than 1e-06"


def test_indices_are_counted_where_the_original_has_one() -> None:
    expected, actual = np.array([[2, -1, 0, 1]]), np.array([[2, 3, -1, 0]])
    assert Matches.between(expected, actual) == Matches(original=3, kept=1)
    assert Matches(3, 1) + Matches(1, 1) == Matches(4, 2)


def test_a_share_of_the_indices_may_be_lost_and_no_more() -> None:
    config = CompareConfig(matcher_ratio=0.9)
    assert judge_errors("typed", {"mscores": WITHIN_ALL}, 0.0, config, Matches(10, 9)) == PASSED
    assert judge_errors("typed", {"mscores": WITHIN_ALL}, 0.0, config, Matches(5, 4)) == PASSED, "4.5 is asked"
    verdict = judge_errors("typed", {"mscores": WITHIN_ALL}, 0.0, config, Matches(100, 89))
    assert verdict.state is State.failed
    assert verdict.reason == "typed: 89 of 100 indices kept, a share of 0.8900 where 0.9 is asked"
    assert judge_errors("typed", {"mscores": WITHIN_ALL}, 0.0, CompareConfig(), Matches()) == PASSED
