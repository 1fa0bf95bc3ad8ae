"""What lies between an extractor's outputs and a matcher's inputs. Numpy only: every stage and user can afford it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from enginewright.errors import DataError

Scalar = TypeVar("Scalar", bound=np.generic)


def normalise_keypoints(keypoints: ArrayLike, width: float, height: float) -> NDArray[np.float32]:
    """Return keypoints (..., K, 2), x y in pixels, as LightGlue takes them: float32, about the centre.

    The longer side reaches from -1 to 1 and the shorter keeps its proportion, in float32 throughout, operation by
    operation as in the published LightGlue (Lindenberger et al., 2023).

    Args:
        keypoints: (..., K, 2) in pixels of an image of `width` by `height` pixels.
        width: of the image that the keypoints were found in, after any resizing.
        height: of the same image.

    Raises:
        DataError: if the last axis is not x y, or a side is not positive.
    """
    points = np.asarray(keypoints, dtype=np.float32)
    if points.ndim < 1 or points.shape[-1] != 2:
        raise DataError("keypoints have no x and y", expected="shape (..., 2)", got=points.shape)
    if not (width > 0 and height > 0):
        raise DataError("an image has no area", expected="width and height above 0", got=(width, height))
    size = np.array((width, height), dtype=np.float32)
    half = size / np.float32(2)
    normalised: NDArray[np.float32] = (points - half) / half.max()
    return normalised


def interleave(first: NDArray[Scalar], second: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return (2B, ...) of two (B, ...): rows 2b and 2b + 1 are images 0 and 1 of pair b.

    Raises:
        DataError: if the shapes differ or there is no batch axis.
    """
    if first.shape != second.shape or first.ndim == 0:
        raise DataError(
            "the two sides of the pairs do not fit",
            expected="two arrays (B, ...) of one shape",
            got=f"{first.shape} and {second.shape}",
            cure="pad both sides to K slots, of zeros, before they are interleaved",
        )
    return np.stack((first, second), axis=1).reshape(2 * len(first), *first.shape[1:])
