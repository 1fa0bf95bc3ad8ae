"""Ground truth: how far a match is from where it should be, in pixels of image 1.

Pixel coordinates are (x, y) with (0, 0) at the centre of the first pixel, as the networks return keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]
"""Pixel positions as (N, 2), x before y."""

_SAME_SURFACE_PX = 1.0


class Truth(Protocol):
    """What is known of how two images correspond."""

    def errors(self, points0: Points, points1: Points) -> NDArray[np.float64]:
        """Return (N,) distances in pixels between `points1` and where `points0` truly lie in image 1; NaN: unknown."""


@dataclass(frozen=True)
class Unknown:
    """A pair without ground truth."""

    def errors(self, points0: Points, points1: Points) -> NDArray[np.float64]:
        """Return (N,) NaN."""
        return np.full(len(points0), np.nan)


@dataclass(frozen=True, eq=False)
class Homography:
    """A plane's mapping. matrix: (3, 3), from pixels of image 0 to pixels of image 1, both as resized."""

    matrix: NDArray[np.float64]

    def errors(self, points0: Points, points1: Points) -> NDArray[np.float64]:
        """Return (N,) distances in pixels; NaN for points that the mapping sends to infinity or behind the camera."""
        distances: NDArray[np.float64] = np.linalg.norm(self.project(points0) - points1, axis=1)
        return distances

    def project(self, points0: Points) -> NDArray[np.float64]:
        """Return (N, 2) where `points0` lie in image 1."""
        mapped: NDArray[np.float64] = np.column_stack([points0, np.ones(len(points0))]) @ self.matrix.T
        in_front = mapped[:, 2:] > np.finfo(np.float64).eps
        points1 = np.full((len(mapped), 2), np.nan)
        np.divide(mapped[:, :2], mapped[:, 2:], out=points1, where=in_front)
        return points1


@dataclass(frozen=True, eq=False)
class Disparity:
    """A rectified stereo pair: what lies at x in the left image lies at x - disparity in the right, in the same row.

    disparities: (h, w) in pixels of the images as published, not finite where unknown.
    height, width: size in pixels that both images were resized to.
    """

    disparities: NDArray[np.floating]
    height: int
    width: int

    def errors(self, points0: Points, points1: Points) -> NDArray[np.float64]:
        """Return (N,) distances in pixels; NaN where the disparity is unknown, or ambiguous beside a depth edge."""
        height, width = self.disparities.shape
        scale = np.array([self.width / width, self.height / height])
        published = (points0 + 0.5) / scale - 0.5
        shift = _sample(self.disparities, published) * scale[0]
        distances: NDArray[np.float64] = np.hypot(points0[:, 0] - shift - points1[:, 0], points0[:, 1] - points1[:, 1])
        return distances


def _sample(values: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (N,) bilinear samples at (N, 2) positions; NaN outside, beside unknown values and across depth edges."""
    limit = np.array(values.shape[::-1]) - 1
    inside = ((points >= -0.5) & (points <= limit + 0.5)).all(axis=1)
    inner = np.clip(np.nan_to_num(points), 0, limit)
    low = np.minimum(inner.astype(np.int64), np.maximum(limit - 1, 0))
    high = np.minimum(low + 1, limit)
    (x0, y0), (x1, y1), (fx, fy) = low.T, high.T, (inner - low).T
    corners = np.stack([values[y0, x0], values[y0, x1], values[y1, x0], values[y1, x1]]).astype(np.float64)
    corners[~np.isfinite(corners)] = np.nan
    weights = np.stack([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy])
    # Between two surfaces a mean of their disparities belongs to neither.
    mixed = corners.max(axis=0) - corners.min(axis=0) > _SAME_SURFACE_PX
    return np.where(~inside | mixed, np.nan, (corners * weights).sum(axis=0))
