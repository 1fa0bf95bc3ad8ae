"""What the two networks say of images: keypoints of one, matches of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import GraphError
from enginewright.matching.assignment import matches_from_scores

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Features:
    """One image's keypoints.

    keypoints: (K, 2) pixels. descriptors: (K, D), or (K, 0) where a merged graph has none to show. valid: (K,) bool,
    False for padding.
    """

    keypoints: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    valid: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matched:
    """The matches of one pair.

    indices: (M, 2), keypoints of image 0 and of image 1. confidence: (M,) in 0..1.
    """

    features0: Features
    features1: Features
    indices: NDArray[np.int64]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def points0(self) -> NDArray[np.float32]:
        """(M, 2) pixels in image 0."""
        return self.features0.keypoints[self.indices[:, 0]]

    @property
    def points1(self) -> NDArray[np.float32]:
        """(M, 2) pixels in image 1."""
        return self.features1.keypoints[self.indices[:, 1]]


def features_of(outputs: Arrays, count: int) -> list[Features]:
    """Return the first `count` images' features from an extractor's outputs, (N, K, ...) each."""
    keypoints = outputs["keypoints"]
    descriptors = outputs.get("descriptors", np.empty((*keypoints.shape[:2], 0)))
    valid = outputs.get("valid", np.ones(keypoints.shape[:2], dtype=np.bool_))
    return [
        Features(keypoints[n].astype(np.float32), descriptors[n].astype(np.float32), valid[n].astype(np.bool_))
        for n in range(count)
    ]


def matched(features0: Features, features1: Features, outputs: Arrays, slot: int, threshold: float) -> Matched:
    """Return one pair's matches from a matcher's outputs, which hold that pair at `slot`.

    Outputs are `matches` and `mscores`, (B, K) each, or `scores`, (B, K, K): then pairs that are each other's best
    and whose probability exceeds `threshold` match. A match that ends in padding is none.

    Raises:
        GraphError: if a match points at a keypoint that does not exist.
    """
    if "scores" in outputs:
        partners, confidence = matches_from_scores(outputs["scores"][slot].astype(np.float32), threshold)
    else:
        partners, confidence = outputs["matches"][slot].astype(np.int64), outputs["mscores"][slot].astype(np.float32)
    if partners.max(initial=-1) >= len(features1.valid) or len(partners) != len(features0.valid):
        raise GraphError(
            "the matcher matches a keypoint that does not exist",
            expected=f"{len(features0.valid)} indices below {len(features1.valid)}",
            got=f"{len(partners)} indices up to {partners.max(initial=-1)}",
            cure="build extractor and matcher for the same number of keypoints",
        )
    kept = (partners >= 0) & features0.valid & features1.valid[partners]
    first = np.flatnonzero(kept)
    return Matched(features0, features1, np.column_stack([first, partners[first]]), confidence[first])
