from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from enginewright.matching.associate import associate


def at(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 2)


def test_points_are_paired_by_position_not_by_index() -> None:
    first, second = at((0, 0), (10, 0), (20, 0)), at((20, 0.1), (0, 0.1), (10, 0.1))
    assert associate(first, second, 0.5).tolist() == [[0, 1], [1, 2], [2, 0]]


def test_points_farther_than_the_radius_have_no_counterpart() -> None:
    assert associate(at((0, 0), (5, 5)), at((0.6, 0), (5, 5.4)), 0.5).tolist() == [[1, 1]]


def test_radius_itself_is_within() -> None:
    assert len(associate(at((0, 0)), at((0.5, 0)), 0.5)) == 1


def test_no_point_is_used_twice_and_the_nearest_wins() -> None:
    first, second = at((0, 0), (0.3, 0)), at((0.25, 0))
    assert associate(first, second, 0.5).tolist() == [[1, 0]]


def test_second_nearest_gets_what_is_left() -> None:
    first, second = at((0, 0), (0.3, 0)), at((0.25, 0), (0.4, 0))
    assert associate(first, second, 0.5).tolist() == [[0, 1], [1, 0]]


def test_equal_points_are_paired_in_order() -> None:
    same = at((3, 3), (3, 3), (3, 3))
    assert associate(same, same, 0.5).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_nan_has_no_counterpart() -> None:
    first = at((0, 0), (np.nan, 1))
    assert associate(first, first, 0.5).tolist() == [[0, 0]]


@pytest.mark.parametrize(("left", "right"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_pairs_with_nothing(left: int, right: int) -> None:
    assert associate(np.zeros((left, 2)), np.zeros((right, 2)), 0.5).shape == (0, 2)


def test_many_points_in_shuffled_order_are_all_found() -> None:
    """More points than one piece of rows holds: the pieces must not lose or shift indices."""
    draw = np.random.default_rng(0)
    first = (draw.permutation(40 * 40)[:900, None] // [40, 1] % 40 * 3).astype(np.float32)
    order = draw.permutation(len(first))
    second = first[order] + draw.uniform(-0.2, 0.2, size=first.shape)
    pairs = associate(first, second, 0.5)
    assert len(pairs) == len(first)
    assert (order[pairs[:, 1]] == pairs[:, 0]).all()


@given(
    arrays(np.float32, (7, 2), elements=st.floats(0, 2, width=32)),
    arrays(np.float32, (5, 2), elements=st.floats(0, 2, width=32)),
)
def test_what_always_holds(first: np.ndarray, second: np.ndarray) -> None:
    """One to one, within the radius, and no two points are left that could still be paired."""
    pairs = associate(first, second, 0.5)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    distances = np.linalg.norm(first[:, None].astype(float) - second[None], axis=-1)
    assert (distances[pairs[:, 0], pairs[:, 1]] <= 0.5 + 1e-9).all()
    distances[pairs[:, 0]] = np.inf
    distances[:, pairs[:, 1]] = np.inf
    assert (distances > 0.5 - 1e-9).all()
