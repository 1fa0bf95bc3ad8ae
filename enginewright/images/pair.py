"""An image pair and what is known of how its images correspond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enginewright.images.truth import Truth

Image8 = NDArray[np.uint8]
"""An image as (height, width, 3), RGB, 0..255."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two RGB images of the same size, and their ground truth.

    name: unique among the pairs of a run; letters, digits, `.`, `_` and `-`, so that it can name a file.
    """

    name: str
    image0: Image8
    image1: Image8
    truth: Truth

    @property
    def images(self) -> tuple[Image8, Image8]:
        """Both images, in order."""
        return self.image0, self.image1
