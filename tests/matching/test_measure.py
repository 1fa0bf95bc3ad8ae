from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from enginewright.images import Homography, Pair, Unknown
from enginewright.matching.features import Features, Matched
from enginewright.matching.measure import Comparison, as_metrics, compare, quality, together

SHIFT = Homography(np.array([[1, 0, 4], [0, 1, 0], [0, 0, 1.0]]))
BLACK = np.zeros((8, 8, 3), dtype=np.uint8)
PAIR = Pair("pair", BLACK, BLACK, SHIFT)


def side(positions: list[tuple[float, float]], valid: list[bool] | None = None) -> Features:
    """Return keypoints with descriptors that differ from each other and depend on nothing but their number."""
    count = len(positions)
    descriptors = np.eye(max(count, 1), 8, dtype=np.float32)[:count]
    return Features(
        np.array(positions, np.float32).reshape(-1, 2), descriptors, np.array(valid or [True] * count, bool)
    )


def pairing(first: Features, second: Features, rows: list[tuple[int, int]], confidence: float = 0.5) -> Matched:
    indices = np.array(rows, np.int64).reshape(-1, 2)
    return Matched(first, second, indices, np.full(len(rows), confidence, np.float32))


LEFT = side([(10, 10), (20, 10), (30, 10), (40, 10)])
RIGHT = side([(14, 10), (24, 10), (34, 12), (44, 30)])
ORIGINAL = pairing(LEFT, RIGHT, [(0, 0), (1, 1), (2, 2), (3, 3)])


def reordered(features: Features, order: list[int]) -> Features:
    return Features(features.keypoints[order], features.descriptors[order], features.valid[order])


def test_the_original_has_everything_in_common_with_itself() -> None:
    metrics = as_metrics(compare(PAIR, ORIGINAL, ORIGINAL))
    assert metrics == {
        "matches": 4,
        "common": 4,
        "common_ratio": 1.0,
        "keypoints_missing": 0,
        "confidence": {"min": 0.5, "mean": 0.5, "max": 0.5},
        "precision_1px": 0.5,
        "precision_3px": 0.75,
        "precision_5px": 0.75,
        "descriptor_cosine_min": 1.0,
        "keypoint_px_max": 0.0,
    }


def test_order_of_keypoints_does_not_matter() -> None:
    order0, order1 = [3, 1, 0, 2], [2, 0, 3, 1]
    rows = [(order0.index(index), order1.index(index)) for index in range(4)]
    artifact = pairing(reordered(LEFT, order0), reordered(RIGHT, order1), rows)
    found = compare(PAIR, ORIGINAL, artifact)
    assert found.common == 4
    assert found.cosines.min() == 1


def test_match_to_another_partner_is_not_in_common() -> None:
    found = compare(PAIR, ORIGINAL, pairing(LEFT, RIGHT, [(0, 1), (1, 0), (2, 2)]))
    assert (found.matches, found.common, found.common_ratio) == (3, 1, 0.25)


def test_additional_matches_change_nothing_in_common() -> None:
    fewer = pairing(LEFT, RIGHT, [(0, 0), (1, 1)])
    found = compare(PAIR, fewer, ORIGINAL)
    assert (found.matches, found.common, found.common_ratio) == (4, 2, 1.0)


def test_moved_keypoints_are_measured() -> None:
    moved = Features(LEFT.keypoints + np.array([0.3, 0.4], np.float32), LEFT.descriptors, LEFT.valid)
    found = compare(PAIR, ORIGINAL, pairing(moved, RIGHT, [(0, 0), (1, 1), (2, 2), (3, 3)]))
    assert as_metrics(found)["keypoint_px_max"] == pytest.approx(0.5, abs=1e-5)
    assert found.missing == 0
    assert found.common == 4


def test_keypoint_beyond_half_a_pixel_is_missing_and_so_are_its_matches() -> None:
    far = side([(10, 10), (20, 10.6), (30, 10), (40, 10)])
    found = compare(PAIR, ORIGINAL, pairing(far, RIGHT, [(0, 0), (1, 1), (2, 2), (3, 3)]))
    assert (found.missing, found.common, found.keypoints) == (1, 3, 8)


def test_padding_is_neither_a_keypoint_nor_missing() -> None:
    padded = side([(10, 10), (20, 10), (0, 0), (0, 0)], [True, True, False, False])
    original = pairing(padded, RIGHT, [(0, 0), (1, 1)])
    fewer = side([(10, 10), (20, 10)])
    found = compare(PAIR, original, pairing(fewer, RIGHT, [(0, 0), (1, 1)]))
    assert (found.missing, found.keypoints, found.common) == (0, 6, 2)


def test_turned_descriptor_lowers_the_cosine() -> None:
    descriptors = LEFT.descriptors.copy()
    descriptors[2] = [0, 0, 0.6, 0, 0.8, 0, 0, 0]
    artifact = pairing(replace(LEFT, descriptors=descriptors), RIGHT, [(0, 0)])
    assert as_metrics(compare(PAIR, ORIGINAL, artifact))["descriptor_cosine_min"] == pytest.approx(0.6)


def test_zero_descriptors_are_alike_only_to_each_other() -> None:
    empty = replace(LEFT, descriptors=np.zeros_like(LEFT.descriptors))
    both = compare(PAIR, pairing(empty, RIGHT, []), pairing(empty, RIGHT, []))
    one = compare(PAIR, ORIGINAL, pairing(empty, RIGHT, []))
    assert both.cosines.min() == 1
    assert one.cosines.min() == 0


@pytest.mark.parametrize("where", ["keypoints", "descriptors", "confidence"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_counted_and_never_reach_the_metrics(where: str, value: float) -> None:
    artifact = ORIGINAL
    if where == "confidence":
        artifact = replace(ORIGINAL, confidence=np.array([0.5, value, 0.5, 0.5], np.float32))
    else:
        broken = getattr(LEFT, where).copy()
        broken[1, 0] = value
        artifact = replace(ORIGINAL, features0=replace(LEFT, **{where: broken}))
    with np.errstate(invalid="ignore"):
        found = compare(PAIR, ORIGINAL, artifact)
    assert found.not_finite == 1
    json.dumps(as_metrics(found), allow_nan=False)


def test_artifact_without_matches_has_no_confidence_and_no_precision() -> None:
    metrics = as_metrics(compare(PAIR, ORIGINAL, pairing(LEFT, RIGHT, [])))
    assert (metrics["matches"], metrics["common"], metrics["common_ratio"]) == (0, 0, 0.0)
    assert "confidence" not in metrics
    assert not any(key.startswith("precision") for key in metrics)


def test_artifact_without_keypoints_misses_all() -> None:
    empty = side([])
    found = compare(PAIR, ORIGINAL, pairing(empty, empty, []))
    metrics = as_metrics(found)
    assert (found.missing, found.common) == (8, 0)
    assert "keypoint_px_max" not in metrics
    assert "descriptor_cosine_min" not in metrics


def test_without_truth_there_is_no_precision() -> None:
    metrics = as_metrics(compare(replace(PAIR, truth=Unknown()), ORIGINAL, ORIGINAL))
    assert not any(key.startswith("precision") for key in metrics)


def test_precision_counts_only_matches_with_a_known_truth() -> None:
    errors = np.array([0.5, 1.0, 2.9, 4.0, 9.0, np.nan, np.nan])
    metrics = quality(np.full(7, 0.5, np.float32), errors)
    assert [metrics[f"precision_{limit}px"] for limit in (1, 3, 5)] == pytest.approx([0.4, 0.6, 0.8])


def test_several_pairs_are_one() -> None:
    other = compare(PAIR, ORIGINAL, pairing(LEFT, RIGHT, [(0, 0), (1, 2)], 0.9))
    total = together([compare(PAIR, ORIGINAL, ORIGINAL), other])
    metrics = as_metrics(total)
    assert (metrics["matches"], metrics["common"], metrics["common_ratio"]) == (6, 5, 5 / 8)
    assert metrics["confidence"] == pytest.approx({"min": 0.5, "mean": (4 * 0.5 + 2 * 0.9) / 6, "max": 0.9})
    assert total.keypoints == 16
    assert len(total.errors) == 6


def test_common_ratio_of_nothing_is_zero() -> None:
    nothing: Any = {"original": 0, "matches": 0, "common": 0, "keypoints": 0, "missing": 0, "not_finite": 0}
    empty = np.zeros(0)
    arrays: Any = dict.fromkeys(("distances", "cosines", "confidence", "errors", "original_errors"), empty)
    assert Comparison(**nothing, **arrays).common_ratio == 0
