"""Whether an extractor of 8 x 8 cells can take the sizes that its configuration asks for. No torch here."""

from __future__ import annotations

from enginewright.config import check
from enginewright.config.models import ExtractorModel

CELL = 8
"""Side of a cell in pixels: three poolings halve the image three times."""


def check_sizes(model: ExtractorModel, border: int, step: int = 1) -> None:
    """Refuse images that are not made of cells, more keypoints than places, and a threshold that is no probability.

    A keypoint's place is one of each `step` x `step` pixels that are `border` or more away from every edge. With open
    axes the smallest image of the profile counts.

    Raises:
        ConfigError: naming the nearest size, or the most keypoints.
    """
    smallest = {}
    for axis, size in (("height", model.height), ("width", model.width)):
        check.multiple(f"model.{axis}", size, CELL)
        sizes = [size, *model.ranges.get(axis, [])]
        for bound in sizes[1:]:
            check.multiple(f"model.ranges.{axis}", bound, CELL)
        smallest[axis] = max(0, min(sizes) - 2 * border) // step
    check.between("model.keypoints", model.keypoints, 1, smallest["height"] * smallest["width"])
    check.between("model.threshold", model.threshold, 0, 1)
