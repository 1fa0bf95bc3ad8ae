from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from torch import Tensor

from networks.parts.soft_detection import Keypoints, SoftDetector, local_maxima, refine

Map = NDArray[np.float32]


def largest(scores: Map, radius: int) -> Map:
    """Return the largest score up to `radius` away of each position, one by one."""
    found = np.empty_like(scores)
    for y, x in np.ndindex(scores.shape):
        rows, columns = slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1)
        found[y, x] = scores[rows, columns].max()
    return found


def brute_force(scores: Map, radius: int) -> Map:
    """Find maxima in three rounds, each in what the maxima so far leave."""
    found = scores == largest(scores, radius)
    for _ in range(2):
        near = largest(found.astype(np.float32), radius) > 0
        rest = np.where(near, np.float32(0), scores)
        found |= ~near & (rest == largest(rest, radius))
    return np.where(found, scores, np.float32(0))


@settings(max_examples=100, deadline=None)
@given(
    scores=st.tuples(st.integers(5, 11), st.integers(5, 11)).flatmap(
        lambda shape: hnp.arrays(np.float32, shape, elements=st.integers(0, 9).map(lambda tenths: tenths / 10))
    ),
    radius=st.sampled_from([1, 2, 3]),
)
def test_maxima_are_those_of_brute_force_ties_included(scores: Map, radius: int) -> None:
    found = local_maxima(torch.from_numpy(scores)[None, None], radius)
    np.testing.assert_array_equal(found[0, 0].numpy(), brute_force(scores, radius))


def test_equal_neighbours_are_both_maxima() -> None:
    scores = torch.zeros(1, 1, 7, 9)
    scores[0, 0, 3, [3, 4]] = 0.5
    assert local_maxima(scores, 2).nonzero().tolist() == [[0, 0, 3, 3], [0, 0, 3, 4]]


def test_what_a_suppressed_maximum_suppressed_comes_back() -> None:
    """0.8 is suppressed by 0.9, so that 0.7, which only 0.8 had suppressed, is a maximum of the second round."""
    scores = torch.zeros(1, 1, 5, 11)
    scores[0, 0, 2, [3, 5, 7]] = torch.tensor([0.9, 0.8, 0.7])
    assert local_maxima(scores, 2)[0, 0, 2].nonzero().flatten().tolist() == [3, 7]


def spots(height: int, width: int, *places: tuple[int, int, float]) -> Tensor:
    """Return a score map (1, 1, height, width) with scores at (x, y), 0.01 elsewhere."""
    scores = torch.full((1, 1, height, width), 0.01)
    for x, y, score in places:
        scores[0, 0, y, x] = score
    return scores


def pixels(found: Keypoints, height: int, width: int) -> list[list[float]]:
    """Return the valid keypoints of the first image in whole pixels, in order."""
    points = torch.stack(((found.x + 1) / 2 * (width - 1), (found.y + 1) / 2 * (height - 1)), dim=-1)
    kept: list[list[float]] = points[0][found.valid[0]].round().tolist()
    return kept


def test_the_strongest_come_first_and_the_rest_is_not_valid() -> None:
    scores = spots(20, 30, (5, 6, 0.5), (20, 15, 0.9), (25, 4, 0.3))
    found = SoftDetector(6, 2, 0.2)(scores)
    assert pixels(found, 20, 30) == [[20, 15], [5, 6], [25, 4]]
    assert found.valid.tolist() == [[True] * 3 + [False] * 3]


def test_a_keypoint_less_than_the_radius_from_the_border_is_none() -> None:
    places = [(1, 8), (2, 3), (10, 1), (17, 10), (18, 5), (5, 17), (12, 18)]
    scores = spots(20, 20, *((x, y, 0.5) for x, y in places))
    assert sorted(pixels(SoftDetector(10, 2, 0.2)(scores), 20, 20)) == [[2, 3], [5, 17], [17, 10]]


def test_of_equal_scores_any_k_are_taken() -> None:
    places = [[x, y] for x in (5, 12, 19) for y in (5, 12)]
    found = SoftDetector(4, 2, 0.2)(spots(18, 25, *((x, y, 0.5) for x, y in places)))
    kept = pixels(found, 18, 25)
    assert len(kept) == 4 == len({tuple(place) for place in kept})
    assert all(place in places for place in kept)
    assert found.valid.all()


def test_an_image_without_a_score_above_the_threshold_takes_its_mean_for_one() -> None:
    scores = torch.cat((spots(20, 20, (5, 5, 0.15), (12, 12, 0.1)), spots(20, 20, (5, 5, 0.15), (12, 12, 0.3))))
    found = SoftDetector(4, 2, 0.2)(scores)
    assert found.valid.sum(dim=1).tolist() == [2, 1]


@pytest.mark.parametrize("threshold", [0.0, -1.0])
def test_without_a_threshold_all_maxima_count(threshold: float) -> None:
    scores = torch.full((1, 1, 20, 20), 1e-30)
    scores[0, 0, [5, 12], [5, 12]] = torch.tensor([0.15, 1e-3])
    found = SoftDetector(100, 2, threshold)(scores)
    assert pixels(found, 20, 20)[:2] == [[5, 5], [12, 12]]
    assert int(found.valid.sum()) > 2


def test_a_score_equal_to_the_threshold_does_not_exceed_it() -> None:
    scores = spots(20, 20, (5, 5, 0.25), (12, 12, 0.5))
    assert pixels(SoftDetector(4, 2, 0.25)(scores), 20, 20) == [[12, 12]]


def test_a_keypoint_moves_to_where_the_scores_weigh_and_takes_the_score_there() -> None:
    """By the formulas of the paper, in double precision."""
    patch = torch.rand(5, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    weights = torch.exp(patch / 0.1) / torch.exp(patch / 0.1).sum()
    steps = torch.arange(-2.0, 3.0, dtype=torch.float64)
    x, y = float((weights * steps).sum()), float((weights * steps[:, None]).sum())
    right, down, score = refine(patch.float()[None, None])
    assert (float(right), float(down)) == pytest.approx((x, y), abs=1e-5)
    grid = torch.tensor([[[[x / 2, y / 2]]]], dtype=torch.float64)
    expected = torch.nn.functional.grid_sample(patch[None, None], grid, align_corners=True)
    assert float(score) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize(("column", "row"), [(0, 0), (4, 0), (4, 4), (1, 3)])
def test_the_refined_position_of_a_sharp_peak_is_the_peak(column: int, row: int) -> None:
    patch = torch.full((1, 1, 5, 5), -10.0)
    patch[0, 0, row, column] = 1.0
    right, down, score = refine(patch)
    assert (float(right), float(down), float(score)) == pytest.approx((column - 2, row - 2, 1.0), abs=1e-5)


def test_each_image_is_treated_alone() -> None:
    scores = torch.rand(3, 1, 24, 31, generator=torch.Generator().manual_seed(4))
    detect = SoftDetector(12, 2, 0.5)
    together = detect(scores)
    for index, image in enumerate(scores):
        for whole, alone in zip(together, detect(image[None]), strict=True):
            assert torch.equal(whole[index], alone[0])
