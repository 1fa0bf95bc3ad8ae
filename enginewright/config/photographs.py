"""The photographs of scikit-image's wheel that pairs can be drawn over. Its other images need a download."""

from __future__ import annotations

from collections.abc import Sequence

from enginewright.errors import NotAllowedError

PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "clock_motion",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "ihc",
    "moon",
    "page",
    "retina",
    "rocket",
    "text",
)
"""The values that `data.photographs` takes."""


def check_photographs(names: Sequence[str]) -> None:
    """Refuse an unknown photograph, and one named twice: pairs are named after them.

    Raises:
        NotAllowedError: naming the allowed photographs.
    """
    unknown = [name for name in names if name not in PHOTOGRAPHS]
    twice = [name for name in names if names.count(name) > 1]
    if unknown or twice:
        raise NotAllowedError(
            "data.photographs cannot be used",
            expected=f"each at most once, of {', '.join(PHOTOGRAPHS)}",
            got=unknown or twice,
            cure="correct data.photographs in conf/ or on the command line",
        )
