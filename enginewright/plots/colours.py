"""What the colour of a drawn match means: its error against ground truth, or else its confidence.

The colours are those of Okabe and Ito (2008), which people with any common colour blindness tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLUE, _GREEN, _YELLOW, _RED, _GREY = "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#bbbbbb"
_ERRORS_PX = ((1, _GREEN), (3, _BLUE), (5, _YELLOW))
_CONFIDENCES = ((0.9, _GREEN), (0.5, _BLUE), (0.2, _YELLOW))


@dataclass(frozen=True, eq=False)
class Group:
    """Matches of one colour. chosen: (M,) bool."""

    label: str
    colour: str
    chosen: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.chosen.sum())


def groups(errors: NDArray[np.float64], confidence: NDArray[np.float32]) -> list[Group]:
    """Return disjoint groups, none empty, that hold all M matches, best first."""
    found = by_error(errors) if np.isfinite(errors).any() else by_confidence(confidence)
    return [group for group in found if len(group)]


def by_error(errors: NDArray[np.float64]) -> list[Group]:
    """Return groups by (M,) errors in pixels, best first; NaN is an error that is not known."""
    found, rest, least = [], np.isfinite(errors), 0
    for limit, colour in _ERRORS_PX:
        chosen = rest & (np.nan_to_num(errors, nan=np.inf) <= limit)
        found.append(Group(f"error {least} to {limit} px", colour, chosen))
        rest, least = rest & ~chosen, limit
    worst = Group(f"error above {least} px", _RED, rest)
    return [*found, worst, Group("truth not known", _GREY, ~np.isfinite(errors))]


def by_confidence(confidence: NDArray[np.float32]) -> list[Group]:
    """Return groups by (M,) confidence in 0..1, best first."""
    found, rest, most = [], np.ones(len(confidence), dtype=np.bool_), 1.0
    for limit, colour in _CONFIDENCES:
        chosen = rest & (confidence >= limit)
        found.append(Group(f"confidence {limit:g} to {most:g}", colour, chosen))
        rest, most = rest & ~chosen, limit
    return [*found, Group(f"confidence below {most:g}", _RED, rest)]
