"""Image pairs with ground truth: the package's photographs and stereo pair, or a user's own folder."""

from __future__ import annotations

from enginewright.images.load import load_pairs
from enginewright.images.pair import Pair
from enginewright.images.tensor import to_input
from enginewright.images.truth import Disparity, Homography, Truth, Unknown

__all__ = ["Disparity", "Homography", "Pair", "Truth", "Unknown", "load_pairs", "to_input"]
