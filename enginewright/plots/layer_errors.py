"""The error of every tensor along a network, on a logarithmic axis, with the tensors that do not fit their format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from enginewright.plots.canvas import png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE_PX = (1100, 520)
_BLUE, _RED, _BLACK = "#0072b2", "#d55e00", "#000000"
_LEAST = 1e-8
"""Errors below this, of float32 itself, are drawn here: a logarithmic axis has no place for 0."""
_LABELS = 12


def layer_errors_picture(title: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a PNG of the rows of errors.json: `position`, `module`, `error` (None where values are lost), `fault`."""

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.08, 0.3, 0.89, 0.6))
        axes.set_yscale("log")
        axes.set_title(title, fontsize=12, loc="left", pad=6)
        axes.set_ylabel("relative error (rms of the difference over rms)")
        axes.set_xlabel("tensors in the graph's order, by the torch module that makes them")
        axes.grid(True, axis="y", color="#dddddd", linewidth=0.6)
        _draw_points(axes, rows)
        _label_modules(axes, rows)

    return png_of(*_SIZE_PX, draw)


def _draw_points(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    known = [row for row in rows if row["error"] is not None]
    top = 10 * max((row["error"] for row in known), default=1.0) or 1.0
    heights = {row["position"]: max(row["error"], _LEAST) if row["error"] is not None else top for row in rows}
    lost = [row for row in rows if row["error"] is None]
    faulty = [row for row in rows if row["fault"]]
    _points(axes, known, heights, f"{len(known)} tensors", marker=".", markersize=3, color=_BLUE)
    _points(axes, lost, heights, f"{len(lost)} with Inf or NaN", marker="^", markersize=5, color=_BLACK)
    style = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.6, "color": _RED}
    _points(axes, faulty, heights, f"{len(faulty)} that do not fit their format", **style)
    if rows:
        axes.legend(loc="upper left", bbox_to_anchor=(0.55, 1.12), ncols=3, frameon=False, fontsize=8)


def _points(
    axes: Axes, rows: Sequence[Mapping[str, Any]], heights: Mapping[int, float], label: str, **style: Any
) -> None:
    if rows:
        places = [row["position"] for row in rows]
        axes.plot(places, [heights[place] for place in places], linestyle="none", label=label, **style)


def _label_modules(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Name some modules below the axis, those at fault first: there is no room for all."""
    starts: dict[str, int] = {}
    for row in rows:
        starts.setdefault(row["module"], row["position"])
    named = {name: place for name, place in starts.items() if name}
    at_fault = {row["module"]: row["position"] for row in rows if row["fault"] and row["module"]}
    step = max(1, len(named) // _LABELS)
    chosen = dict(list(named.items())[::step]) | at_fault
    near = max(1, len(rows) // (2 * _LABELS))
    places = {place: name for name, place in chosen.items() if name in at_fault or _far(place, at_fault, near)}
    axes.set_xticks(list(places), list(places.values()), rotation=40, ha="right", fontsize=7)


def _far(place: int, others: Mapping[str, int], near: int) -> bool:
    return all(abs(place - other) >= near for other in others.values())
