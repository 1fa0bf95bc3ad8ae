"""How much of the original's matching an artifact keeps, and how right its matches are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.images import Pair
from enginewright.matching.associate import associate
from enginewright.matching.features import Features, Matched

COMMON_PX = 0.5
"""Keypoints of original and artifact farther apart than this, in pixels, are different keypoints."""

PRECISION_PX = (1, 3, 5)
"""The errors, in pixels, up to which a match counts as right."""

GATED_PX = 3
"""The one of them whose share has a limit."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """An artifact beside the original, over one pair or several.

    original, matches, common: counts of matches. keypoints, missing: counts of the original's valid keypoints, and of
    those without a counterpart. not_finite: count of NaN and Inf. distances: (A,) pixels and cosines: (A,) between
    associated keypoints. confidence: (matches,). errors: (matches,) and original_errors: (original,) pixels, NaN where
    no truth is known.
    """

    original: int
    matches: int
    common: int
    keypoints: int
    missing: int
    not_finite: int
    distances: NDArray[np.float64]
    cosines: NDArray[np.float64]
    confidence: NDArray[np.float32]
    errors: NDArray[np.float64]
    original_errors: NDArray[np.float64]

    @property
    def common_ratio(self) -> float:
        """The share of the original's matches that the artifact has too; 0 where there are none."""
        return self.common / self.original if self.original else 0.0

    @property
    def precision_3px_loss(self) -> float:
        """The original's share of matches right within 3 px, less the artifact's; 0 where no truth is known."""
        before, after = (_finite(errors) for errors in (self.original_errors, self.errors))
        return float((before <= GATED_PX).mean() - (after <= GATED_PX).mean()) if len(before) and len(after) else 0.0


def compare(pair: Pair, original: Matched, artifact: Matched) -> Comparison:
    """Return one pair's comparison.

    Valid keypoints are associated by position in each image, at most `COMMON_PX` apart, one to one. A match is common
    if the artifact matches the counterparts of both its ends.
    """
    sides = [(original.features0, artifact.features0), (original.features1, artifact.features1)]
    links = [_links(before, after) for before, after in sides]
    steps = [_distances_and_cosines(*side, link) for side, link in zip(sides, links, strict=True)]
    keypoints = sum(int(before.valid.sum()) for before, _ in sides)
    return Comparison(
        original=len(original),
        matches=len(artifact),
        common=_common(original, artifact, links),
        keypoints=keypoints,
        missing=keypoints - sum(len(link) for link in links),
        not_finite=_not_finite(artifact),
        distances=np.concatenate([distances for distances, _ in steps]),
        cosines=np.concatenate([cosines for _, cosines in steps]),
        confidence=artifact.confidence,
        errors=pair.truth.errors(artifact.points0, artifact.points1),
        original_errors=pair.truth.errors(original.points0, original.points1),
    )


def together(comparisons: Sequence[Comparison]) -> Comparison:
    """Return several pairs' comparisons as one: counts added, values in one row."""
    columns = {item.name: [getattr(one, item.name) for one in comparisons] for item in fields(Comparison)}
    merged: dict[str, Any] = {
        name: sum(rows) if isinstance(rows[0], int) else np.concatenate(rows) for name, rows in columns.items()
    }
    return Comparison(**merged)


def as_metrics(comparison: Comparison) -> dict[str, Any]:
    """Return the metric keys; a key whose number does not exist (no match, no truth) is left out."""
    metrics: dict[str, Any] = {
        "matches": comparison.matches,
        "common": comparison.common,
        "common_ratio": comparison.common_ratio,
        "keypoints_missing": comparison.missing,
        **quality(comparison.confidence, comparison.errors),
    }
    cosines, distances = _finite(comparison.cosines), _finite(comparison.distances)
    if len(cosines):
        metrics["descriptor_cosine_min"] = float(cosines.min())
    if len(distances):
        metrics["keypoint_px_max"] = float(distances.max())
    return metrics


def quality(confidence: NDArray[np.float32], errors: NDArray[np.float64]) -> dict[str, Any]:
    """Return what can be said of matches by themselves: their confidence, and precision against ground truth."""
    metrics: dict[str, Any] = {}
    sure, known = _finite(confidence), _finite(errors)
    if len(sure):
        metrics["confidence"] = {"min": float(sure.min()), "mean": float(sure.mean()), "max": float(sure.max())}
    if len(known):
        metrics |= {f"precision_{limit}px": float((known <= limit).mean()) for limit in PRECISION_PX}
    return metrics


def _links(before: Features, after: Features) -> NDArray[np.int64]:
    """Return (A, 2) indices of associated valid keypoints."""
    rows0, rows1 = np.flatnonzero(before.valid), np.flatnonzero(after.valid)
    pairs = associate(before.keypoints[rows0], after.keypoints[rows1], COMMON_PX)
    return np.column_stack([rows0[pairs[:, 0]], rows1[pairs[:, 1]]])


def _distances_and_cosines(
    before: Features, after: Features, links: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows0, rows1 = links.T
    moved = before.keypoints[rows0].astype(np.float64) - after.keypoints[rows1]
    distances = np.linalg.norm(moved, axis=1)
    if not after.descriptors.shape[1]:  # a merged graph keeps them to itself
        return distances, np.empty(0)
    first, second = before.descriptors[rows0].astype(np.float64), after.descriptors[rows1].astype(np.float64)
    return distances, _cosines(first, second)


def _cosines(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (A,) cosines of (A, D) rows. Two zero rows are alike (1), a zero row and another are not (0)."""
    length0, length1 = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    both_zero = ((length0 == 0) & (length1 == 0)).astype(np.float64)
    lengths = length0 * length1
    cosines: NDArray[np.float64] = np.divide((first * second).sum(axis=1), lengths, out=both_zero, where=lengths != 0)
    return cosines.clip(-1, 1)


def _common(original: Matched, artifact: Matched, links: Sequence[NDArray[np.int64]]) -> int:
    to0, to1 = (dict(link.tolist()) for link in links)
    kept = {tuple(row) for row in artifact.indices.tolist()}
    return sum((to0.get(index0), to1.get(index1)) in kept for index0, index1 in original.indices.tolist())


def _not_finite(artifact: Matched) -> int:
    sides = (artifact.features0, artifact.features1)
    values = [array[side.valid] for side in sides for array in (side.keypoints, side.descriptors)]
    return sum(int((~np.isfinite(array)).sum()) for array in [*values, artifact.confidence])


def _finite(values: NDArray[np.floating]) -> NDArray[np.floating]:
    kept: NDArray[np.floating] = values[np.isfinite(values)]
    return kept
