from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from enginewright.config.sections import MatchConfig
from enginewright.matching.judge import judge
from enginewright.matching.measure import Comparison
from enginewright.verdicts import State

LIMITS = MatchConfig()
GOOD = Comparison(
    original=100,
    matches=100,
    common=100,
    keypoints=400,
    missing=0,
    not_finite=0,
    distances=np.full(400, 1e-5),
    cosines=np.full(400, 0.999999),
    confidence=np.full(100, 0.9, np.float32),
    errors=np.zeros(100),
    original_errors=np.zeros(100),
)


def test_everything_kept_passes() -> None:
    assert judge(GOOD, LIMITS).state is State.passed


def test_limits_themselves_pass() -> None:
    edge = replace(GOOD, distances=np.array([LIMITS.keypoint_px]), cosines=np.array([LIMITS.descriptor_cosine]))
    assert judge(edge, LIMITS).state is State.passed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"common": 99}, "99 of 100 matches kept, a share of 0.9900 where 1 is asked"),
        ({"missing": 1}, "1 of 400 keypoints have no counterpart"),
        ({"distances": np.array([1e-5, 0.002])}, "moved by 0.002 px where 0.001 is allowed"),
        ({"cosines": np.array([1, 0.9])}, "cosine of 0.900000 where 0.99999 is asked"),
        ({"distances": np.array([np.nan])}, "moved by nan"),
        ({"cosines": np.array([np.nan])}, "cosine of nan"),
        ({"not_finite": 3}, "3 values .* are NaN or Inf"),
        ({"matches": 0, "common": 0}, "no match at all, where the original finds 100"),
        ({"original": 0, "common": 0}, "the original finds no match on any pair"),
    ],
)
def test_each_breach_fails_with_its_numbers(change: dict[str, object], reason: str) -> None:
    verdict = judge(replace(GOOD, **change), LIMITS)  # type: ignore[arg-type]
    assert verdict.state is State.failed
    assert re.search(reason, verdict.reason)


def test_all_breaches_are_named_at_once() -> None:
    verdict = judge(replace(GOOD, common=50, missing=10, cosines=np.array([0.5])), LIMITS)
    assert verdict.reason.count(";") == 2


def test_wider_limits_allow_more() -> None:
    worse = replace(GOOD, common=95, missing=4, distances=np.array([0.1]), cosines=np.array([0.98]))
    wide = MatchConfig(common_ratio=0.95, missing=0.01, keypoint_px=0.1, descriptor_cosine=0.98)
    assert judge(worse, wide).state is State.passed
    assert judge(replace(worse, missing=5), wide).state is State.failed
    assert judge(replace(worse, common=94), wide).state is State.failed


def test_no_limit_lets_an_empty_artifact_pass() -> None:
    widest = MatchConfig(common_ratio=0.0, missing=1.0, keypoint_px=100.0, descriptor_cosine=-1.0)
    empty = replace(GOOD, matches=0, common=0, missing=400, distances=np.zeros(0), cosines=np.zeros(0))
    assert judge(empty, widest).state is State.failed
