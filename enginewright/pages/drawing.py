"""Vega-Lite specifications to SVG that stands inside a page: its colours, its tab stops and its names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_SVG = "http://www.w3.org/2000/svg"
_DECIMALS = re.compile(r"(\d+\.\d)\d+")

CONFIG = {
    "background": "transparent",
    "font": "Liberation Sans",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--line)",
        "gridOpacity": 0.6,
        "labelColor": "var(--quiet)",
        "titleColor": "var(--ink)",
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    },
}
"""The page's own colours, by the names that its style sheet gives them: so a drawing is dark where the page is.

The font is one that the renderer brings along, so that every machine measures text alike.
"""


@dataclass(frozen=True)
class Chart:
    """A drawing for a wide page and for a narrow one. title: what it shows. text: the same in words, for those who
    cannot see it.
    """

    key: str
    title: str
    text: str
    wide: str
    narrow: str


def printable(text: str) -> str:
    """Return a name with a mark in place of what no drawing may hold; over some of it the renderer ends the process."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def drawn(spec: Mapping[str, Any]) -> ElementTree.Element:
    """Return the SVG of a Vega-Lite specification."""
    return ElementTree.fromstring(_rendered(json.dumps({"$schema": _SCHEMA, **spec})))  # noqa: S314 (Vega's own output)


@cache
def _rendered(spec: str) -> str:
    """Return the SVG of a specification; variants that share a network share its drawings."""
    import vl_convert

    text: str = vl_convert.vegalite_to_svg(spec)
    return text


def marks(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Return the marks of the layer `name`, in the order of its data."""
    groups = [one for one in svg.iter() if f"{name}_marks" in one.get("class", "").split()]
    return list(groups[0]) if groups else []


def hide(elements: Sequence[ElementTree.Element]) -> None:
    """Take elements from what a screen reader reads: their text stands elsewhere."""
    for one in elements:
        for key in ("role", "aria-label", "aria-roledescription"):
            one.attrib.pop(key, None)
        one.set("aria-hidden", "true")


def _shorten(element: ElementTree.Element) -> None:
    """Cut digits of places that no screen can show: a tenth of a pixel is enough."""
    for key in ("d", "transform", "x", "y", "x2", "y2"):
        if key in element.attrib:
            element.set(key, _DECIMALS.sub(r"\1", element.attrib[key]))


def text_of(svg: ElementTree.Element, label: str, name: str, interactive: bool) -> str:
    """Return an SVG as markup for a page: scaled to its width, labelled, without ids and superfluous digits.

    interactive: whether its marks are to be read one by one; otherwise it is one picture.
    """
    for one in svg.iter():
        _shorten(one)
        if not interactive or one.get("role") in ("graphics-object", "graphics-symbol"):
            for key in ("role", "aria-label", "aria-roledescription"):
                one.attrib.pop(key, None)
    for key in ("width", "height"):
        svg.set(key, str(round(float(svg.get(key, "0")))))
    svg.attrib.pop("version", None)
    svg.set("class", f"chart {name}")
    svg.set("role", "group" if interactive else "img")
    svg.set("aria-label", label)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(svg, encoding="unicode", short_empty_elements=True)
