"""Plots along a network: the range of every reduced tensor, and the error of every output by quantile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from enginewright.pages.drawing import CONFIG, Chart, drawn, printable, text_of
from enginewright.report.words import many, small

_SIZES = {"wide": (960, 240), "narrow": (270, 220)}
_LEAST_OVER, _LEAST_ERROR = 1e-8, 1e-9
"""Smaller values are drawn here: a logarithmic axis has no place for 0."""
SERIES = (
    "var(--series-1)",
    "var(--series-2)",
    "var(--series-3)",
    "var(--series-4)",
    "var(--series-5)",
    "var(--series-6)",
)
Rows = Sequence[Mapping[str, Any]]


def range_chart(network: str, rows: Rows) -> Chart | None:
    """Return the largest magnitude of every tensor against its format's limit; None where nothing was reduced.

    rows: of ranges.json, `position` along the graph and `over`, 1 being the largest number of the format.
    """
    known = [row for row in rows if isinstance(row.get("over"), int | float) and isfinite(row["over"])]
    if not known:
        return None
    faulty = [row for row in known if row.get("fault")]
    text = f"{network}: largest magnitude of {len(known)} reduced tensors in the graph's order. "
    top = max(known, key=lambda row: row["over"])
    text += f"The largest is {small(top['over'])} of its format's limit, at {top.get('tensor', 'a tensor')}; "
    text += f"{len(faulty)} of them {'does' if len(faulty) == 1 else 'do'} not fit." if faulty else "all of them fit."
    wide, narrow = (_svg(_range_spec(known, faulty, name), text, name) for name in _SIZES)
    return Chart("ranges", f"{network}: how near tensors come to their format's limit", text, wide, narrow)


def _range_spec(rows: Rows, faulty: Rows, name: str) -> dict[str, Any]:
    x = {"field": "at", "type": "quantitative", "title": "tensors, in the graph's order", "axis": {"grid": False}}
    y = {
        "field": "over",
        "type": "quantitative",
        "title": "share of the limit",
        "scale": {"type": "log"},
        "axis": {"tickCount": 6, "format": ".0e"},
    }
    fault = {"type": "point", "shape": "circle", "size": 70, "strokeWidth": 2, "color": "var(--failed)", "opacity": 1}
    rule = {"type": "rule", "color": "var(--failed)", "strokeDash": [6, 4]}
    line = {"type": "line", "strokeWidth": 1, "color": "var(--series-1)", "strokeJoin": "bevel"}
    both = {"x": x, "y": y}
    return _layers(
        name,
        [
            {"data": {"values": [{"over": 1}]}, "mark": rule, "encoding": {"y": y}},
            {"data": {"values": _points(rows)}, "mark": line, "encoding": both},
            {"data": {"values": _points(faulty)}, "mark": fault, "encoding": both},
        ],
    )


def _points(rows: Rows) -> list[dict[str, float]]:
    return [{"at": row.get("position", 0), "over": max(float(row["over"]), _LEAST_OVER)} for row in rows]


def error_chart(network: str, rows: Rows) -> Chart | None:
    """Return the absolute error of every output of every graph by quantile; None where there is none.

    rows: of errors.json, `series` (graph and output), `quantile` and `error`. Graphs that agree are one line.
    """
    merged = _merged(rows)
    series = {name: curve for name, curve in merged.items() if curve[-1][1] > 0}
    if not series:
        return None
    worst = max(series, key=lambda name: series[name][-1][1])
    exact = ", ".join(name for name in merged if name not in series)
    text = f"{network}: absolute error of outputs by quantile, {many(len(series), 'curve')}. "
    text += f"The largest error is {small(series[worst][-1][1])}, of {worst}."
    text += f" No error at all: {exact}." if exact else ""
    wide, narrow = (_svg(_error_spec(series, name), text, name) for name in _SIZES)
    return Chart("errors", f"{network}: error of the outputs, beside the original", text, wide, narrow)


def _merged(rows: Rows) -> dict[str, list[tuple[float, float]]]:
    """Return (quantile, error) by series; series of one output whose curves are the same share a name."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if isinstance(row.get("error"), int | float) and isfinite(row["error"]):
            curves.setdefault(printable(str(row.get("series"))), []).append(
                (float(row["quantile"]), float(row["error"]))
            )
    names: dict[tuple[str, tuple[tuple[float, float], ...]], list[str]] = {}
    for series, curve in curves.items():
        graph, _, output = series.partition(" ")
        names.setdefault((output, tuple(sorted(curve))), []).append(graph)
    return {f"{output} ({', '.join(graphs)})": list(curve) for (output, curve), graphs in names.items()}


def _error_spec(series: Mapping[str, Sequence[tuple[float, float]]], name: str) -> dict[str, Any]:
    values = [
        {"series": key, "quantile": quantile, "error": max(error, _LEAST_ERROR)}
        for key, curve in series.items()
        for quantile, error in curve
    ]
    legend = {"orient": "bottom", "columns": 1 if name == "narrow" else 3, "title": None, "labelLimit": 320}
    colours = [SERIES[number % len(SERIES)] for number in range(len(series))]
    dashes = [[1, 0] if number < len(SERIES) else [4, 3] for number in range(len(series))]
    key = {"field": "series", "type": "nominal", "legend": {**legend, "labelColor": "var(--ink)", "labelFontSize": 12}}
    layer = {
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "monotone"},
        "encoding": {
            "x": {"field": "quantile", "type": "quantitative", "title": "quantile", "axis": {"grid": False}},
            "y": {
                "field": "error",
                "type": "quantitative",
                "title": "absolute error",
                "scale": {"type": "log"},
                "axis": {"tickCount": 5, "format": ".0e"},
            },
            "color": {**key, "scale": {"domain": list(series), "range": colours}},
            "strokeDash": {**key, "scale": {"domain": list(series), "range": dashes}},
        },
    }
    return _layers(name, [layer])


def _layers(name: str, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    width, height = _SIZES[name]
    return {"width": width, "height": height, "config": CONFIG, "layer": list(layers)}


def _svg(spec: Mapping[str, Any], text: str, name: str) -> str:
    return text_of(drawn(spec), text, name, interactive=False)
