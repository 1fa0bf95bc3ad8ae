from __future__ import annotations

import numpy as np
import pytest

from enginewright.errors import GraphError
from enginewright.matching.features import Features, features_of, matched


def features(count: int, valid: list[bool] | None = None) -> Features:
    keypoints = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    return Features(keypoints, np.ones((count, 3), np.float32), np.array(valid or [True] * count))


def outputs(matches: list[int], scores: list[float]) -> dict[str, np.ndarray]:
    return {"matches": np.array([matches], np.int32), "mscores": np.array([scores], np.float32)}


def test_images_come_apart_and_repeats_are_dropped() -> None:
    raw = {
        "keypoints": np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2),
        "descriptors": np.ones((3, 4, 5), np.float32),
        "valid": np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]], np.float32),
    }
    first, second = features_of(raw, 2)
    assert first.valid.tolist() == [True, True, False, False]
    assert second.keypoints.tolist() == raw["keypoints"][1].tolist()


def test_without_a_mask_every_keypoint_is_valid() -> None:
    (only,) = features_of({"keypoints": np.zeros((1, 4, 2)), "descriptors": np.zeros((1, 4, 5))}, 1)
    assert only.valid.all()
    assert only.keypoints.dtype == np.float32


def test_matches_are_pairs_of_indices_with_their_confidence() -> None:
    found = matched(features(4), features(5), outputs([2, -1, 4, 0], [0.9, 0.0, 0.5, 0.7]), 0, 0.0)
    assert found.indices.tolist() == [[0, 2], [2, 4], [3, 0]]
    assert found.confidence == pytest.approx([0.9, 0.5, 0.7])
    assert found.points0.tolist() == [[0, 1], [4, 5], [6, 7]]
    assert found.points1.tolist() == [[4, 5], [8, 9], [0, 1]]
    assert len(found) == 3


def test_matches_that_end_in_padding_are_none() -> None:
    first, second = features(3, [True, False, True]), features(3, [True, True, False])
    assert matched(first, second, outputs([0, 1, 2], [0.9, 0.9, 0.9]), 0, 0.0).indices.tolist() == [[0, 0]]


def test_scores_are_turned_into_matches() -> None:
    scores = np.log(np.array([[[0.1, 0.8], [0.7, 0.1]], [[0.9, 0.1], [0.1, 0.05]]], np.float32))
    first = matched(features(2), features(2), {"scores": scores}, 0, 0.1)
    second = matched(features(2), features(2), {"scores": scores}, 1, 0.1)
    assert first.indices.tolist() == [[0, 1], [1, 0]]
    assert second.indices.tolist() == [[0, 0]]


def test_no_match_is_an_empty_result() -> None:
    found = matched(features(2), features(2), outputs([-1, -1], [0, 0]), 0, 0.0)
    assert len(found) == 0
    assert found.points0.shape == (0, 2)


@pytest.mark.parametrize(("matches", "count"), [([0, 7], 2), ([0, 1, 1], 2)])
def test_match_with_a_keypoint_that_does_not_exist_is_refused(matches: list[int], count: int) -> None:
    with pytest.raises(GraphError, match="keypoint that does not exist"):
        matched(features(count), features(count), outputs(matches, [0.5] * len(matches)), 0, 0.0)


@pytest.mark.parametrize("slot", [0, 1])
def test_each_pair_is_read_from_its_slot(slot: int) -> None:
    raw = {
        "matches": np.array([[0, -1], [1, 0]], np.int64),
        "mscores": np.array([[0.9, 0.0], [0.4, 0.3]], np.float64),
    }
    found = matched(features(2), features(2), raw, slot, 0.0)
    assert found.indices.tolist() == [[[0, 0]], [[0, 1], [1, 0]]][slot]
    assert found.confidence.dtype == np.float32


def test_threshold_applies_to_scores_and_not_to_matches_that_the_graph_filtered() -> None:
    scores = {"scores": np.log(np.array([[[0.5, 0.1], [0.1, 0.3]]], np.float32))}
    assert len(matched(features(2), features(2), scores, 0, 0.4)) == 1
    assert len(matched(features(2), features(2), outputs([0, 1], [0.5, 0.3]), 0, 0.4)) == 2


def test_scores_of_padding_are_no_matches() -> None:
    scores = {"scores": np.log(np.array([[[0.9, 0.1], [0.1, 0.9]]], np.float32))}
    found = matched(features(2), features(2, [True, False]), scores, 0, 0.1)
    assert found.indices.tolist() == [[0, 0]]
