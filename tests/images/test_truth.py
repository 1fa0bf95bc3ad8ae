from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.images.truth import Disparity, Homography, Unknown


def points(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_unknown_truth_knows_no_error() -> None:
    assert np.isnan(Unknown().errors(points((1, 2), (3, 4)), points((1, 2), (3, 4)))).all()


def test_homography_error_is_the_distance_in_image_1() -> None:
    shift = Homography(np.array([[1, 0, 10], [0, 1, -5], [0, 0, 1.0]]))
    assert shift.errors(points((0, 20), (0, 20)), points((10, 15), (13, 19))) == pytest.approx([0, 5])


def test_homography_divides_by_depth() -> None:
    tilted = Homography(np.array([[1, 0, 0], [0, 1, 0], [0.01, 0, 1]]))
    assert tilted.project(points((100, 50))) == pytest.approx(np.array([[50, 25]]))


def test_point_behind_the_camera_has_no_truth() -> None:
    tilted = Homography(np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1]]))
    errors = tilted.errors(points((100, 0), (150, 0), (50, 0)), points((0, 0), (0, 0), (100, 0)))
    assert np.isnan(errors[:2]).all()
    assert errors[2] == pytest.approx(0)


@given(st.floats(0.5, 2), st.floats(-180, 180), st.floats(-50, 50), st.floats(-50, 50))
def test_homography_and_its_inverse_undo_each_other(zoom: float, degrees: float, x: float, y: float) -> None:
    c, s = zoom * math.cos(math.radians(degrees)), zoom * math.sin(math.radians(degrees))
    matrix = np.array([[c, -s, x], [s, c, y], [1e-4, 0, 1]])
    there = Homography(matrix).project(points((12, 34), (-5, 60)))
    assert Homography(np.linalg.inv(matrix)).project(there) == pytest.approx(points((12, 34), (-5, 60)), abs=1e-6)


def flat(value: float, height: int = 6, width: int = 8) -> np.ndarray:
    return np.full((height, width), value, dtype=np.float32)


def test_right_image_shows_a_point_further_left_by_its_disparity() -> None:
    truth = Disparity(flat(3), 6, 8)
    assert truth.errors(points((5, 2), (5, 2)), points((2, 2), (2, 4))) == pytest.approx([0, 2])


def test_disparity_scales_with_the_width_only() -> None:
    """Twice as wide and three times as high: x 5 becomes 10.5, its partner at x 2 becomes 4.5, rows stay rows."""
    truth = Disparity(flat(3), 18, 16)
    assert truth.errors(points((10.5, 7)), points((4.5, 7))) == pytest.approx([0])


def test_disparity_is_sampled_between_pixels() -> None:
    slope = np.tile(np.arange(8, dtype=np.float32) * 0.5, (6, 1))
    assert Disparity(slope, 6, 8).errors(points((4.5, 1.25)), points((4.5 - 2.25, 1.25))) == pytest.approx([0])


def test_unknown_disparity_gives_no_error() -> None:
    holed = flat(3)
    holed[2, 5] = np.inf
    holed[4, 5] = np.nan
    errors = Disparity(holed, 6, 8).errors(points((5, 2), (4.5, 4), (1, 1)), points((2, 2), (1.5, 4), (-2, 1)))
    assert np.isnan(errors[:2]).all()
    assert errors[2] == pytest.approx(0)


def test_depth_edge_is_ambiguous_and_so_unknown() -> None:
    edge = flat(3)
    edge[:, 4:] = 30
    errors = Disparity(edge, 6, 8).errors(points((3.5, 2), (2, 2), (5, 2)), points((0, 2), (-1, 2), (-25, 2)))
    assert np.isnan(errors[0])
    assert errors[1:] == pytest.approx([0, 0])


def test_points_outside_the_image_are_unknown_and_its_border_is_not() -> None:
    truth = Disparity(flat(3), 6, 8)
    errors = truth.errors(points((-1, 2), (7.4, 5.4), (0, 5), (8, 2)), points((-4, 2), (4.4, 5.4), (-3, 5), (5, 2)))
    assert np.isnan(errors[[0, 3]]).all()
    assert errors[1:3] == pytest.approx([0, 0])


@pytest.mark.parametrize("truth", [Homography(np.eye(3)), Disparity(flat(1), 6, 8)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_points_that_are_no_number_have_no_finite_error(truth: Homography | Disparity, value: float) -> None:
    errors = truth.errors(points((value, 2), (5, value), (5, 2)), points((1, 2), (4, 2), (value, 2)))
    assert not np.isfinite(errors).any()


def test_image_of_one_pixel_does_not_break_the_sampling() -> None:
    assert Disparity(flat(1, 1, 1), 1, 1).errors(points((0, 0)), points((-1, 0))) == pytest.approx([0])


@pytest.mark.parametrize("truth", [Unknown(), Homography(np.eye(3)), Disparity(flat(1), 6, 8)])
def test_no_points_give_no_errors(truth: Unknown | Homography | Disparity) -> None:
    assert truth.errors(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0,)
