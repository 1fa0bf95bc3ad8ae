"""From a matcher's log assignment matrix to matches, as the filter at LightGlue's end does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def matches_from_scores(scores: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each of K0 keypoints its partner in image 1, or -1, and its confidence.

    scores: (K0, K1) logarithms of match probabilities. Partners are each other's best, with a probability above
    `threshold` (Lindenberger et al., ICCV 2023, section 3.3). Returns (K0,) and (K0,); confidence is 0 for those whose
    best prefers another. NaN matches nothing.
    """
    rows = np.arange(len(scores))
    known = np.where(np.isnan(scores), -np.inf, scores)
    best1, best0 = known.argmax(axis=1), known.argmax(axis=0)
    mutual = best0[best1] == rows
    confidence = np.where(mutual, np.exp(known[rows, best1]), 0).astype(np.float32)
    return np.where(confidence > threshold, best1, -1), confidence
