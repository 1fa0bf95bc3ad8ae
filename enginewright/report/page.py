"""The report: one HTML page that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from enginewright.report.collect import Metrics, collect
from enginewright.report.pictures import Picture, pictures_in
from enginewright.report.rows import COMPARE_COLUMNS, MATCH_COLUMNS, Row, compare_rows, match_rows, stage_rows
from enginewright.report.summary import COLUMNS, summaries

_TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """What the page says of one network."""

    name: str
    stages: list[Row]
    compare: list[Row]
    match: list[Row]
    pictures: list[Picture]


def page(metrics: Path, plots: Path, only: Collection[str] | None = None) -> str:
    """Return the page for `metrics`/<network>/*.json and the PNGs below `plots`/<network>; the same for the same files.

    only: the networks of this run; None takes all that have metrics.

    Raises:
        DataError: if there are no metrics, or a file is not what its name says.
    """
    import jinja2

    networks = collect(metrics, only)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("index.html.j2").render(
        summaries=summaries(networks),
        columns=COLUMNS,
        match_columns=MATCH_COLUMNS,
        compare_columns=COMPARE_COLUMNS,
        sections=[_section(name, stages, plots / name) for name, stages in networks.items()],
    )


def _section(name: str, stages: dict[str, Metrics], plots: Path) -> Section:
    return Section(
        name=name,
        stages=stage_rows(stages),
        compare=compare_rows(stages.get("compare", {})),
        match=match_rows(stages.get("match", {})),
        pictures=pictures_in(plots),
    )
