"""Match pictures: a pair's images side by side, with a line for each match, for the original and for an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from enginewright.images import Pair, to_input
from enginewright.matching.features import Matched
from enginewright.plots.canvas import png_of
from enginewright.plots.colours import Group, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_PX = 1100
_TITLE_PX, _LEGEND_PX, _MARGIN_PX = 30, 30, 8
_GAP = 0.02
_DIMMED = 0.65


def match_picture(pair: Pair, rows: dict[str, Matched]) -> bytes:
    """Return a PNG with one row for each of `rows`, which maps a row's title to its matches of `pair`.

    Images are grey and dimmed, so that the colours of lines are those of the legend.
    """
    both = _side_by_side(pair)
    shown = round((_WIDTH_PX - 2 * _MARGIN_PX) * both.shape[0] / both.shape[1])
    row_px = _TITLE_PX + shown + _LEGEND_PX

    def draw(figure: Figure) -> None:
        total = row_px * len(rows)
        for number, (title, matched) in enumerate(rows.items()):
            bottom = total - (number + 1) * row_px + _LEGEND_PX
            box = (_MARGIN_PX / _WIDTH_PX, bottom / total, 1 - 2 * _MARGIN_PX / _WIDTH_PX, shown / total)
            axes = figure.add_axes(box)
            axes.imshow(both, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
            axes.set_axis_off()
            _draw_row(axes, pair, title, matched)

    return png_of(_WIDTH_PX, row_px * len(rows), draw)


def _side_by_side(pair: Pair) -> NDArray[np.uint8]:
    """Return (height, 2 width + gap) grey, the gap white."""
    grey0, grey1 = (to_input([image], 1)[0, 0] * (255 * _DIMMED) for image in pair.images)
    gap = np.full((len(grey0), _gap(pair)), 255)
    return np.concatenate([grey0, gap, grey1], axis=1).astype(np.uint8)


def _gap(pair: Pair) -> int:
    return int(_GAP * pair.image0.shape[1])


def _draw_row(axes: Axes, pair: Pair, title: str, matched: Matched) -> None:
    axes.set_title(title, fontsize=12, loc="left", pad=6)
    errors = pair.truth.errors(matched.points0, matched.points1)
    shift = pair.image0.shape[1] + _gap(pair)
    handles = [_draw_group(axes, group, matched, shift) for group in groups(errors, matched.confidence)]
    if handles:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=5, frameon=False, borderpad=0.2)


def _draw_group(axes: Axes, group: Group, matched: Matched, shift: int) -> Any:
    """Draw the group's lines, image 1 being `shift` pixels to the right; return what stands for them in the legend."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    lines, colour = _lines(matched, shift)[group.chosen], group.colour
    order = 2 + 1 / len(group)  # the rarer lie above, so that a few wrong matches are seen among many right ones
    axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.6, alpha=0.8, zorder=order), False)
    ends: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 1.8, "color": colour, "zorder": order}
    axes.plot(*lines.reshape(-1, 2).T, scalex=False, scaley=False, **ends)
    return Line2D([], [], color=colour, linewidth=3, label=f"{group.label}: {len(group)}")


def _lines(matched: Matched, shift: int) -> NDArray[np.float32]:
    """Return (M, 2, 2): both ends of each match, x before y."""
    beside = matched.points1 + np.array([shift, 0], dtype=np.float32)
    return np.stack([matched.points0, beside], axis=1)
