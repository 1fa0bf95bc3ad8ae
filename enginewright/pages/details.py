"""All that one run left, network by network: steps, graphs, plots, pictures and where its engines come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.pages.along import Rows, error_chart, range_chart
from enginewright.pages.drawing import Chart
from enginewright.pages.gallery import Gallery, Shown
from enginewright.pages.graphs_table import Step, steps_of
from enginewright.pages.provenance import provenance_of
from enginewright.pages.repeats import Repeats
from enginewright.pages.run import Run
from enginewright.report.rows import Row, compare_rows, match_rows, stage_rows
from enginewright.report.words import small

_NEAREST = 6
"""Tensors nearest to their format's limit that are told by name, those at fault among them."""


@dataclass(frozen=True)
class Told:
    """A run that the page tells of in detail.

    anchor: of its variants. commit: that it ran on, empty if unknown. note: on what it took, empty if nothing is known.
    """

    run: Run
    anchor: str
    title: str
    overrides: tuple[str, ...]
    commit: str
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One network of a run. same: title and place on the page of the run that made the very same of it."""

    name: str
    stages: list[Row]
    graphs: list[Step]
    matches: list[Row]
    outputs: list[Row]
    charts: list[Chart]
    faults: list[tuple[str, ...]]
    pictures: list[Shown]
    origin: list[tuple[str, str]]
    params: str
    same: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Details:
    """One run. id: of its place on the page."""

    id: str
    name: str
    title: str
    overrides: Sequence[str]
    note: str
    parts: list[Part]


def details_of(told: Told, id_: str, gallery: Gallery, repeats: Repeats) -> Details:
    """Return what the page tells of a run. id_: of its place on the page. repeats: what the page has told already."""
    parts = [_part(told, network, id_, gallery, repeats) for network in told.run.metrics]
    return Details(id_, told.run.name, told.title, told.overrides, told.note, parts)


def _part(told: Told, network: str, id_: str, gallery: Gallery, repeats: Repeats) -> Part:
    run = told.run
    metrics, record, ranges = run.metrics[network], run.records.get(network, {}), run.ranges(network)
    values = (run.params.get("networks") or {}).get(network) or {}
    same = repeats.part(repr((network, metrics, record, values, told.commit)), told.run.name, id_)
    if same[0]:
        return Part(network, [], [], [], [], [], [], [], [], "", same)
    charts = (range_chart(network, ranges), error_chart(network, run.curves(network)))
    return Part(
        name=network,
        stages=stage_rows(metrics),
        graphs=steps_of(metrics, record),
        matches=match_rows(metrics.get("match", {})),
        outputs=compare_rows(metrics.get("compare", {})),
        charts=[chart for chart in charts if chart],
        faults=_nearest(ranges),
        pictures=gallery.show(run, network),
        origin=provenance_of(record, told.commit, run.statements.get(network)),
        params=repeats.parameters(network, run.name, values),
    )


def _nearest(ranges: Rows) -> list[tuple[str, ...]]:
    known = [row for row in ranges if isinstance(row.get("over"), int | float)]
    first = sorted(known, key=lambda row: (not row.get("fault"), -row["over"]))[:_NEAREST]
    return [
        (
            str(row.get("tensor")),
            f"{row.get('operator')} of {row.get('module')}" if row.get("module") else str(row.get("operator")),
            str(row.get("format")),
            small(row.get("magnitude")),
            small(row.get("over")),
            str(row.get("fault") or row.get("note") or ""),
        )
        for row in first
    ]
