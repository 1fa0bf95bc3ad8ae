"""The plot of cost against matches kept: what each variant costs, what it keeps, and which no other beats."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import expm1, log1p
from typing import Any

from enginewright.pages.choosing import TIE, tried
from enginewright.pages.costs import COSTS, LATENCY, Cost, front
from enginewright.pages.drawing import CONFIG, Chart, drawn, hide, marks, text_of
from enginewright.pages.looks import look_of
from enginewright.pages.names import joined
from enginewright.pages.point_names import SIZES, Plot, label, name_point, ring, spoken
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count, many

_TICKS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1)
"""Shares of matches lost that are marked. The axis widens where little is lost: there the variants differ."""
_ROOM = 0.1
"""Of the axis, above the points that lose nothing: for their names."""
_WELL = 0.99
"""Least share of matches that a rehearsed precision and form keeps, in all its variants, to be drawn attention to."""


@dataclass(frozen=True)
class Board:
    """The plots of variants that were judged on the same matches, one for each cost that is known of any."""

    title: str
    charts: tuple[Chart, ...]


def boards(variants: Sequence[Variant], ids: Mapping[Variant, str], advised: Collection[Variant] = ()) -> list[Board]:
    """Return the plots of each network. Variants that were judged on other matches had another task: another board.

    ids: of the rows in the table that are the same in text. advised: variants that the page recommends.
    """
    groups: dict[tuple[str, str, int], list[Variant]] = {}
    for one in variants:
        if one.kept is not None:
            groups.setdefault((one.network, str(one.evidence or ""), one.kept.original), []).append(one)
    return [_board(found, ids, advised) for found in groups.values()]


def _board(variants: Sequence[Variant], ids: Mapping[Variant, str], advised: Collection[Variant]) -> Board:
    known = [(cost, [one for one in variants if cost.of(one) is not None]) for cost in COSTS]
    title = _title(variants)
    return Board(title, tuple(_chart(title, cost, found, ids, advised) for cost, found in known if found))


def _title(variants: Sequence[Variant]) -> str:
    """Return what the variants of a board were judged on."""
    first = variants[0]
    sources = ", ".join(dict.fromkeys(f"{one.source}, elsewhere" if one.tabled else one.source for one in variants))
    matches = f"{count(first.kept.original)} matches of the original" if first.kept else ""
    return f"{first.network} ({sources}): " + ", ".join(filter(None, (matches, str(first.evidence or ""))))


def _chart(
    title: str, cost: Cost, variants: Sequence[Variant], ids: Mapping[Variant, str], advised: Collection[Variant]
) -> Chart:
    best = front(list(_worthy(variants)), cost, TIE)
    axis = f"Latency of {variants[0].network} alone, ms" if cost is LATENCY else cost.title
    text = f"{axis} against matches kept, {many(len(variants), 'variant')}. "
    text += (
        f"No other beats {joined([one.name for one in variants if one in best])}."
        if best
        else "None is proven or rehearsed well."
    )
    marked = [one for one in variants if one in advised]
    text += f" Recommended: {joined([one.name for one in marked])}." if marked else ""
    plot = Plot(replace(cost, title=axis), variants, best, marked, ids, f"{title}: {text}")
    wide, narrow = (_svg(plot, name) for name in SIZES)
    return Chart(cost.key, axis, text, wide, narrow)


def _worthy(variants: Sequence[Variant]) -> Iterator[Variant]:
    """Yield what is proven, and what is rehearsed where its precision and form did well in all its variants."""
    for one in variants:
        kept = tried(one.family, [other for other in variants if other.proof is Proof.rehearsed])
        if one.proof >= Proof.graph or (one.proof is Proof.rehearsed and kept and kept.share >= _WELL):
            yield one


def _svg(plot: Plot, name: str) -> str:
    svg = drawn(_spec(plot, name))
    points = marks(svg, "points")
    hide(marks(svg, "front"))
    for number, (point, one) in enumerate(zip(points, plot.variants, strict=True)):
        name_point(point, spoken(one, plot.cost, one in plot.advised), plot.ids[one])
        point.set("tabindex", "-1" if number else "0")
    ring(svg, points, plot)
    label(svg, points, plot, name)
    return text_of(svg, plot.text, name, interactive=True)


def _spec(plot: Plot, name: str) -> dict[str, Any]:
    width, height, _ = SIZES[name]
    axes = _axes(plot, width)
    line = {"type": "line", "color": "var(--quiet)", "strokeDash": [5, 4], "strokeWidth": 1.5, "aria": False}
    point = {"type": "point", "size": 110, "strokeWidth": 2, "opacity": 1}
    looks = {key: {"field": key, "type": "nominal", "scale": None} for key in ("stroke", "fill", "shape")}
    return {
        "width": width,
        "height": height,
        "padding": {"left": 4, "right": 12, "top": 12, "bottom": 4},
        "config": CONFIG,
        "layer": [
            {
                "name": "front",
                "data": {"values": [_row(one, plot.cost) for one in plot.best]},
                "mark": {**line, "interpolate": "step-after"},
                "encoding": axes,
            },
            {
                "name": "points",
                "data": {"values": [_row(one, plot.cost) for one in plot.variants]},
                "mark": point,
                "encoding": {**axes, **looks},
            },
        ],
    }


def _axes(plot: Plot, width: int) -> dict[str, Any]:
    most = max(max(_row(one, plot.cost)["lost"] for one in plot.variants) * 1.15, _TICKS[1])
    lost = {"type": "symlog", "constant": _TICKS[1], "reverse": True, "domain": [_above(most), most]}
    ticks = {"values": [tick for tick in _TICKS if tick <= most], "labelExpr": "format(1 - datum.value, '.1~%')"}
    cost = {"type": "log"} if plot.cost.logarithmic else {"zero": False, "nice": True, "padding": 24}
    along: dict[str, Any] = {"tickCount": max(3, width // 100), "grid": False, "labelOverlap": True}
    along |= {"format": ".0e"} if plot.cost.logarithmic else {}
    return {
        "x": {"field": "cost", "type": "quantitative", "title": plot.cost.title, "axis": along, "scale": cost},
        "y": {"field": "lost", "type": "quantitative", "title": "matches kept", "axis": ticks, "scale": lost},
    }


def _above(most: float) -> float:
    """Return where an axis down to `most` begins: as far above 0 as is `_ROOM` of it, as the axis widens there."""
    return -_TICKS[1] * expm1(_ROOM * log1p(most / _TICKS[1]))


def _row(one: Variant, cost: Cost) -> dict[str, Any]:
    look = look_of(one)
    place = {"cost": _positive(cost.of(one), cost), "lost": 1 - one.kept.share if one.kept else 1.0}
    return place | {"stroke": look.stroke, "fill": look.fill, "shape": look.shape}


def _positive(value: float | None, cost: Cost) -> float:
    """Return the value where it is drawn: a logarithmic axis has no place for 0."""
    number = value or 0.0
    return max(number, 1e-9) if cost.logarithmic else number
