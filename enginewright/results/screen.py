"""Text that fits on a screen of 120 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enginewright.explaining.changes import as_words

WIDTH = 120
LINES = 50


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows in columns as wide as their widest cell; the last is cut where the screen ends."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..." for line in lines]


def number(value: Any) -> str:
    """Return a figure in few digits that still tell two of them apart; anything else in words."""
    return f"{value:.5g}" if isinstance(value, float) else as_words(value)


def change(old: Any, new: Any) -> str:
    """Return the difference of two numbers, or nothing."""
    both = [value for value in (old, new) if isinstance(value, int | float) and not isinstance(value, bool)]
    return f"{new - old:+.3g}" if len(both) == 2 else ""
