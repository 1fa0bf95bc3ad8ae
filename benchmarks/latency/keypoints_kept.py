"""How many of the original's keypoints an extractor keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.latency.samples import Arrays

NEAR = 0.05
"""Pixels: how far a kept keypoint may move."""


@dataclass
class KeypointsKept:
    """Counts over images, by the names that a matcher's matches are counted under.

    original, found, common: keypoints of the original, of the contestant, and those of the original that the contestant
    has within `NEAR`. cosine_min: the least cosine of their descriptors.
    """

    original: int = 0
    found: int = 0
    common: int = 0
    cosine_min: float = 1.0

    def add(self, expected: Arrays, actual: Arrays) -> None:
        """Add a sample's outputs: the original's and the contestant's."""
        for image in range(len(expected["keypoints"])):
            self._add(
                {name: value[image] for name, value in expected.items()}, {k: v[image] for k, v in actual.items()}
            )

    def _add(self, expected: Arrays, actual: Arrays) -> None:
        wanted, got = expected["valid"] > 0, actual["valid"] > 0
        self.original += int(wanted.sum())
        self.found += int(got.sum())
        points, others = expected["keypoints"][wanted], actual["keypoints"][got]
        distance = np.abs(points[:, None] - others[None]).max(axis=-1, initial=0.0)
        nearest = distance.argmin(axis=1) if others.size else np.zeros(len(points), int)
        kept = distance.min(axis=1, initial=np.inf) <= NEAR
        self.common += int(kept.sum())
        same = expected["descriptors"][wanted][kept] * actual["descriptors"][got][nearest[kept]]
        self.cosine_min = min(self.cosine_min, float(same.sum(axis=-1).min(initial=1.0)))
