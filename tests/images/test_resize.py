from __future__ import annotations

import numpy as np
import pytest

from enginewright.images.resize import resize_matrix, resized, warped
from enginewright.images.truth import Homography


def spot(height: int, width: int, x: float, y: float, radius: float = 6) -> np.ndarray:
    """Return an image with one soft bright spot at (x, y)."""
    rows, columns = np.mgrid[0:height, 0:width]
    bright = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    return np.repeat(bright.round().astype(np.uint8)[:, :, None], 3, axis=2)


def centre(image: np.ndarray) -> tuple[float, float]:
    """Return the brightness-weighted centre (x, y)."""
    weight = image[:, :, 0].astype(float)
    rows, columns = np.mgrid[0 : weight.shape[0], 0 : weight.shape[1]]
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


def test_image_of_the_right_size_is_not_touched() -> None:
    image = spot(20, 30, 10, 10)
    assert resized(image, 20, 30) is image


@pytest.mark.parametrize(("height", "width"), [(40, 200), (200, 50), (64, 64), (300, 400)])
def test_size_is_exact_and_the_matrix_says_where_things_went(height: int, width: int) -> None:
    small = resized(spot(100, 160, 60, 40), height, width)
    assert small.shape == (height, width, 3)
    assert small.dtype == np.uint8
    expected = Homography(resize_matrix((100, 160, 3), height, width)).project(np.array([[60.0, 40.0]]))[0]
    assert centre(small) == pytest.approx(expected, abs=0.1)


def test_reduction_is_antialiased() -> None:
    """Lines of one pixel average to grey; without antialiasing some rows would be black or white."""
    lines = np.zeros((128, 128, 3), dtype=np.uint8)
    lines[::2] = 255
    small = resized(lines, 16, 16)
    assert small[2:-2].min() > 110
    assert small[2:-2].max() < 145


def test_resize_matrix_keeps_corners_at_corners() -> None:
    corners = np.array([[-0.5, -0.5], [159.5, 99.5]])
    mapped = Homography(resize_matrix((100, 160), 50, 320)).project(corners)
    assert mapped == pytest.approx(np.array([[-0.5, -0.5], [319.5, 49.5]]))


def test_identity_warp_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
    assert (warped(image, np.eye(3)) == image).all()


def test_warp_by_whole_pixels_moves_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
    moved = warped(image, np.array([[1, 0, 4], [0, 1, -3], [0, 0, 1.0]]))
    assert (moved[:17, 4:] == image[3:, :26]).all()
    assert moved[:, :4].max() == 0
    assert moved[17:].max() == 0


@pytest.mark.parametrize("seed", range(8))
def test_warp_puts_things_where_the_homography_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    matrix = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1.0]]) + draw.normal(size=(3, 3)) * [
        [0.1, 0.1, 8],
        [0.1, 0.1, 8],
        [3e-4, 3e-4, 0],
    ]
    expected = Homography(matrix).project(np.array([[75.0, 65.0]]))[0]
    assert centre(warped(spot(130, 150, 75, 65), matrix)) == pytest.approx(expected, abs=0.2)


def test_scale_of_the_matrix_does_not_matter() -> None:
    image = spot(60, 60, 30, 30)
    matrix = np.array([[1, 0.1, 2], [0, 1, 1], [1e-4, 0, 1]])
    assert (warped(image, matrix) == warped(image, matrix * -7)).all()
