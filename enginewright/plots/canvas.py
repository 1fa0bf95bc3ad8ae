"""Figures to PNG bytes that hold neither a time nor a version, whatever the user's matplotlib settings are."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100


def png_of(width_px: float, height_px: float, draw: Callable[[Figure], None]) -> bytes:
    """Return a PNG of `width_px` by `height_px` pixels that `draw` fills. No display is used."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with mpl.rc_context(mpl.rcParamsDefault):
        figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
