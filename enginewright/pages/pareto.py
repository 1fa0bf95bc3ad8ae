"""The plot of cost against matches kept: what each variant costs, what it keeps, and which no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import expm1, log1p
from typing import Any
from xml.etree import ElementTree

from enginewright.pages.costs import COSTS, Cost, front
from enginewright.pages.drawing import CONFIG, Chart, drawn, hide, marks, text_of
from enginewright.pages.labels import place
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count, many, share
from enginewright.verdicts import State

_TICKS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1)
"""Shares of matches lost that are marked. The axis widens where little is lost: there the variants differ."""
_SIZES = {"wide": (1000, 400, 12), "narrow": (270, 340, 11)}
"""Width and height of the plot in pixels, and its font size."""
_ROOM = 0.1
"""Of the axis, above the points that lose nothing: for their names."""
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Board:
    """The plots of variants that were judged on the same matches, one for each cost that is known of any."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class _Plot:
    """What one plot shows. best: the front. ids: of the rows in the table. text: all of it in words."""

    cost: Cost
    variants: Sequence[Variant]
    best: Sequence[Variant]
    ids: Mapping[Variant, str]
    text: str


def boards(variants: Sequence[Variant], ids: Mapping[Variant, str]) -> list[Board]:
    """Return the plots of each network. Variants whose original has other matches had another task: another board.

    ids: of the rows in the table that are the same in text.
    """
    groups: dict[tuple[str, int], list[Variant]] = {}
    for one in variants:
        if one.kept is not None:
            groups.setdefault((one.network, one.kept.original), []).append(one)
    return [_board(network, original, found, ids) for (network, original), found in groups.items()]


def _board(network: str, original: int, variants: Sequence[Variant], ids: Mapping[Variant, str]) -> Board:
    known = [(cost, [one for one in variants if cost.of(one) is not None]) for cost in COSTS]
    title = f"{network}, {count(original)} matches of the original"
    return Board(title, tuple(_chart(title, cost, found, ids) for cost, found in known if found))


def _chart(title: str, cost: Cost, variants: Sequence[Variant], ids: Mapping[Variant, str]) -> Chart:
    best = front(variants, cost)
    text = f"{title}: {cost.title} against matches kept, {many(len(variants), 'variant')}. "
    text += f"No other beats {', '.join(one.name for one in best)}." if best else "None came through its gates."
    plot = _Plot(cost, variants, best, ids, text)
    wide, narrow = (_svg(plot, name) for name in _SIZES)
    return Chart(cost.key, cost.title, text, wide, narrow)


def _svg(plot: _Plot, name: str) -> str:
    svg = drawn(_spec(plot, name))
    points = marks(svg, "points")
    hide(marks(svg, "front"))
    for number, (point, one) in enumerate(zip(points, plot.variants, strict=True)):
        _name(point, one, plot.cost, plot.ids[one])
        point.set("tabindex", "-1" if number else "0")
    _label(svg, points, plot, name)
    return text_of(svg, plot.text, name, interactive=True)


def _spec(plot: _Plot, name: str) -> dict[str, Any]:
    width, height, _ = _SIZES[name]
    axes = _axes(plot, width)
    line = {"type": "line", "color": "var(--link)", "strokeDash": [5, 4], "strokeWidth": 1.5, "aria": False}
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


def _axes(plot: _Plot, width: int) -> dict[str, Any]:
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
    colour, proven = COLOURS[one.gates.state], one.proof >= Proof.graph
    return {
        "cost": _positive(cost.of(one), cost),
        "lost": 1 - one.kept.share if one.kept else 1.0,
        "stroke": colour,
        "fill": colour if proven else "var(--paper)",
        "shape": "cross" if one.gates.state is State.failed else "circle" if proven else "diamond",
    }


COLOURS = {
    State.passed: "var(--passed)",
    State.not_run: "var(--not-run)",
    State.failed: "var(--failed)",
}
"""The colour of each verdict, by its name in the style sheet."""


def _positive(value: float | None, cost: Cost) -> float:
    """Return the value where it is drawn: a logarithmic axis has no place for 0."""
    number = value or 0.0
    return max(number, 1e-9) if cost.logarithmic else number


def spoken(one: Variant, cost: Cost) -> str:
    """Return a point in words."""
    kept = one.kept
    matches = f"{count(kept.common)} of {count(kept.original)} matches kept, {share(kept.share)}" if kept else ""
    state = {State.failed: "a gate was breached", State.passed: "passed on a GPU"}.get(one.gates.state, one.proof.words)
    return f"{one.name}, {one.source}: {cost.title.partition(',')[0]} {cost.say(cost.of(one))}; {matches}; {state}"


def _name(point: ElementTree.Element, one: Variant, cost: Cost, row: str) -> None:
    """Make a point one that is read aloud and knows its row in the table."""
    point.attrib.pop("aria-roledescription", None)
    for key, value in (("role", "img"), ("aria-label", spoken(one, cost)), ("class", "point"), ("data-row", row)):
        point.set(key, value)


def _label(svg: ElementTree.Element, points: Sequence[ElementTree.Element], plot: _Plot, name: str) -> None:
    """Write names beside points, those of the front first and bold."""
    width, height, size = _SIZES[name]
    sources = len({one.source for one in plot.variants}) > 1
    order = sorted(range(len(points)), key=lambda number: plot.variants[number] not in plot.best)
    places = [(*_at(points[number]), _short(plot.variants[number], sources)) for number in order]
    layer = next(one for one in svg.iter() if "points_marks" in one.get("class", "").split())
    for number, label in zip(order, place(places, size, (width, height), len(plot.best)), strict=True):
        if label is not None:
            bold = {"font-weight": "bold"} if plot.variants[number] in plot.best else {}
            where = {"x": f"{label.x:.1f}", "y": f"{label.y:.1f}", "font-size": f"{size}px", "fill": "var(--ink)"}
            row = {"data-row": points[number].get("data-row", ""), "aria-hidden": "true", "class": "name"}
            ElementTree.SubElement(layer, f"{{{_SVG}}}text", {**where, **bold, **row}).text = label.text


def _short(one: Variant, sources: bool) -> str:
    """Return a name; with the last word of its GPU where variants of other sources stand beside it."""
    return f"{one.name} ({one.device.split()[-1]})" if sources and one.source == one.device else one.name


def _at(point: ElementTree.Element) -> tuple[float, float]:
    x, y = point.get("transform", "translate(0,0)").removeprefix("translate(").partition(")")[0].split(",")
    return float(x), float(y)
