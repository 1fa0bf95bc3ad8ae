"""Resizing and warping of images, each with the matrix that ground truth goes through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enginewright.images.pair import Image8

Matrix = NDArray[np.float64]


def resized(image: Image8, height: int, width: int) -> Image8:
    """Return the image resampled to exactly (height, width, 3), antialiased; its aspect ratio may change."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def resize_matrix(shape: tuple[int, ...], height: int, width: int) -> Matrix:
    """Return the (3, 3) mapping of pixel centres from an image of `shape` (h, w, ...) to its resized self."""
    sx, sy = width / shape[1], height / shape[0]
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])


def warped(image: Image8, matrix: Matrix) -> Image8:
    """Return the image as the homography `matrix` (3, 3), old to new pixel centres, shows it; black outside."""
    to_centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    # Pillow asks for the way back, between corners of pixels.
    back = to_centre @ np.linalg.inv(matrix) @ np.linalg.inv(to_centre)
    coefficients = tuple(float(value) for value in (back / back[2, 2]).ravel()[:8])
    height, width = image.shape[:2]
    picture = Image.fromarray(image).transform(
        (width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    )
    return np.asarray(picture)
