"""What stands beside the points of a plot: names, shared by points in one place, and a ring around the recommended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from enginewright.pages.costs import Cost
from enginewright.pages.labels import place
from enginewright.pages.looks import look_of
from enginewright.pages.names import joined
from enginewright.pages.variant import Variant
from enginewright.report.words import count, share

SIZES = {"wide": (1000, 400, 12), "narrow": (270, 340, 11)}
"""Width and height of the plot in pixels, and its font size."""
_NEAR = 2.0
"""Pixels between points that are one to the eye."""
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Plot:
    """What one plot shows. best: the front. advised: to be marked. ids: of rows in the table. text: in words."""

    cost: Cost
    variants: Sequence[Variant]
    best: Sequence[Variant]
    advised: Collection[Variant]
    ids: Mapping[Variant, str]
    text: str


def spoken(one: Variant, cost: Cost, advised: bool = False) -> str:
    """Return a point in words."""
    kept = one.kept
    matches = f"{count(kept.common)} of {count(kept.original)} matches kept, {share(kept.share)}" if kept else ""
    name = f"{one.name}, {one.source}{', recommended' if advised else ''}"
    return f"{name}: {cost.title.partition(',')[0]} {cost.say(cost.of(one))}; {matches}; {look_of(one).words}"


def name_point(point: ElementTree.Element, words: str, row: str) -> None:
    """Make a point one that is read aloud and knows its row in the table."""
    point.attrib.pop("aria-roledescription", None)
    for key, value in (("role", "img"), ("aria-label", words), ("class", "point"), ("data-row", row)):
        point.set(key, value)


def ring(svg: ElementTree.Element, points: Sequence[ElementTree.Element], plot: Plot) -> None:
    """Draw a ring around what is recommended."""
    for point, one in zip(points, plot.variants, strict=True):
        if one in plot.advised:
            x, y = _at(point)
            where = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "11", "fill": "none", "stroke": "var(--ink)"}
            told = {"stroke-width": "2", "aria-hidden": "true", "class": "ring", "data-row": plot.ids[one]}
            ElementTree.SubElement(_layer(svg), f"{{{_SVG}}}circle", {**where, **told})


def label(svg: ElementTree.Element, points: Sequence[ElementTree.Element], plot: Plot, name: str) -> None:
    """Write names beside points, what is recommended and the front first and bold; points in one place share a name."""
    width, height, size = SIZES[name]
    groups = _groups(points, plot)
    places = [(*_at(points[group[0]]), _short(group, plot)) for group in groups]
    firm = sum(_firm(group, plot) for group in groups)
    for group, placed in zip(groups, place(places, size, (width, height), firm), strict=True):
        if placed is not None:
            bold = {"font-weight": "bold"} if _firm(group, plot) else {}
            where = {"x": f"{placed.x:.1f}", "y": f"{placed.y:.1f}", "font-size": f"{size}px", "fill": "var(--ink)"}
            rows = " ".join(plot.ids[plot.variants[number]] for number in group)
            told = {"data-row": rows, "aria-hidden": "true", "class": "name"}
            ElementTree.SubElement(_layer(svg), f"{{{_SVG}}}text", {**where, **bold, **told}).text = placed.text


def _groups(points: Sequence[ElementTree.Element], plot: Plot) -> list[list[int]]:
    """Return the numbers of points by place, what is recommended apart, in the order in which they are named."""

    def rank(number: int) -> int:
        one = plot.variants[number]
        return 0 if one in plot.advised else 1 if one in plot.best else 2

    groups: list[list[int]] = []
    for number in sorted(range(len(points)), key=rank):
        near = (one for one in groups if rank(one[0]) == rank(number) and _near(points[one[0]], points[number]))
        if (group := next(near, None)) is None:
            groups.append([number])
        else:
            group.append(number)
    return groups


def _near(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    return all(abs(a - b) <= _NEAR for a, b in zip(_at(one), _at(other), strict=True))


def _firm(group: Sequence[int], plot: Plot) -> bool:
    return plot.variants[group[0]] in (*plot.advised, *plot.best)


def _short(group: Sequence[int], plot: Plot) -> str:
    """Return the name of a group; with the last word of a GPU where variants of other sources stand beside it."""
    variants = [plot.variants[number] for number in group]
    name, device = joined([one.name for one in variants]), variants[0].device if variants[0].tabled else ""
    several = len({one.source for one in plot.variants}) > 1
    told = f"{name} ({device.split()[-1]})" if several and device else name
    return f"{told}, recommended" if variants[0] in plot.advised else told


def _layer(svg: ElementTree.Element) -> ElementTree.Element:
    return next(one for one in svg.iter() if "points_marks" in one.get("class", "").split())


def _at(point: ElementTree.Element) -> tuple[float, float]:
    x, y = point.get("transform", "translate(0,0)").removeprefix("translate(").partition(")")[0].split(",")
    return float(x), float(y)
