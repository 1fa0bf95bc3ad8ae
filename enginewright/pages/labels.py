"""Where the names of points go, so that none lies on another: beside, above or below its point, or nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_GLYPH, _LINE, _GAP = 0.54, 1.25, 12.0
"""Width of a letter and height of a line, in font sizes; distance from the point, in pixels."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Return whether both have a point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def inside(self, width: float, height: float) -> bool:
        """Return whether it lies in an area that begins at 0."""
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


@dataclass(frozen=True)
class Label:
    """A placed name: its baseline's left end, in pixels."""

    text: str
    x: float
    y: float


def place(
    points: Sequence[tuple[float, float, str]], size: float, area: tuple[float, float], firm: int = 0
) -> list[Label | None]:
    """Return a label for each point (x, y, name), those first in the list first served; None where there is no room.

    area: width and height in pixels. firm: how many of the first may lie on other points, where there is no other room.
    """
    dots = [Box(x - 9, y - 6, x + 9, y + 6) for x, y, _ in points]
    taken: list[Box] = []
    found: list[Label | None] = []
    for number, (x, y, name) in enumerate(points):
        inside = [box for box in _boxes(x, y, name, size) if box.inside(*area)]
        box = _free(inside, dots + taken) or (_free(inside, taken) if number < firm else None)
        taken += [box] if box else []
        found.append(Label(name, box.left, box.bottom - 0.3 * size) if box else None)
    return found


def _free(boxes: Sequence[Box], taken: Sequence[Box]) -> Box | None:
    return next((box for box in boxes if not any(box.overlaps(other) for other in taken)), None)


def _boxes(x: float, y: float, name: str, size: float) -> list[Box]:
    """Return the places to try, the best first."""
    wide, high = _GLYPH * size * len(name), _LINE * size
    lefts = (x + _GAP, x - _GAP - wide, x - wide / 2)
    beside = [Box(left, y - high / 2, left + wide, y + high / 2) for left in lefts[:2]]
    tops = [y + sign * step - high / 2 for step in (1.0 * high + 4, 2.0 * high + 2) for sign in (1, -1)]
    return beside + [Box(left, top, left + wide, top + high) for top in tops for left in lefts]
