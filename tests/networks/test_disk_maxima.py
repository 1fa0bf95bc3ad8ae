from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from networks.disk import strict_maxima


def brute_force(scores: NDArray[np.float32], window: int, threshold: float) -> NDArray[np.float32]:
    """Compare every position with every other of its window, one by one."""
    side = window // 2
    kept = np.full((scores.shape[0] - 2 * side, scores.shape[1] - 2 * side), threshold, dtype=np.float32)
    for y, x in np.ndindex(kept.shape):
        around = scores[y : y + window, x : x + window].copy()
        centre = around[side, side]
        around[side, side] = -np.inf
        if centre > threshold and (centre > around).all():
            kept[y, x] = centre
    return kept


@settings(max_examples=150, deadline=None)
@given(
    scores=st.tuples(st.integers(7, 12), st.integers(7, 12)).flatmap(
        lambda shape: hnp.arrays(np.float32, shape, elements=st.integers(-3, 9).map(float))
    ),
    window=st.sampled_from([3, 5, 7]),
    threshold=st.sampled_from([-2.0, 0.0, 4.0]),
)
def test_maxima_are_those_of_brute_force_ties_included(
    scores: NDArray[np.float32], window: int, threshold: float
) -> None:
    found = strict_maxima(torch.from_numpy(scores)[None, None], window, threshold)
    np.testing.assert_array_equal(found[0, 0].numpy(), brute_force(scores, window, threshold))


@pytest.mark.parametrize("window", [3, 5, 63])
def test_a_lone_peak_is_found_wherever_its_window_fits(window: int) -> None:
    side = window // 2
    scores = torch.zeros(1, 1, window + 2, window + 1)
    scores[0, 0, side + 2, side + 1] = 1.0
    found = strict_maxima(scores, window, 0.0)
    assert found.shape == (1, 1, 3, 2)
    assert found.nonzero().tolist() == [[0, 0, 2, 1]]


@pytest.mark.parametrize("position", [(1, 5), (5, 1), (10, 5), (5, 10)])
def test_a_peak_whose_window_leaves_the_map_is_none(position: tuple[int, int]) -> None:
    scores = torch.zeros(1, 1, 12, 12)
    scores[0, 0, position[0], position[1]] = 1.0
    assert not strict_maxima(scores, 5, 0.0).any()


def test_two_equal_peaks_suppress_each_other_and_distant_ones_do_not() -> None:
    scores = torch.zeros(1, 1, 9, 16)
    scores[0, 0, 4, [3, 5, 12]] = 1.0
    assert strict_maxima(scores, 5, 0.0).nonzero().tolist() == [[0, 0, 2, 10]]


def test_a_score_equal_to_the_threshold_is_not_kept() -> None:
    scores = torch.zeros(1, 1, 5, 5)
    scores[0, 0, 2, 2] = 0.5
    assert not (strict_maxima(scores, 5, 0.5) > 0.5).any()
    assert (strict_maxima(scores, 5, 0.25) > 0.25).any()
