"""The one table that the benchmark prints, from results.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.budgets import BUDGETS, ratios

HEAD = (
    "| what | who | wall, s | processor, s | peak, MB | ratio | at most |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)
ORDER = ("cold", "unchanged", "opset", "change", "olive", "variants", "step", "navigator", "growth")
"""What the names of parts begin with."""


def table(results: Mapping[str, Any]) -> str:
    """Return the figures of all parts as a Markdown table."""
    known = ratios(results)
    parts = {name: results[name] for first in ORDER for name in results if name.partition("_")[0] == first}
    rows = [row for name, part in parts.items() for row in _part(name, part["title"], part, known)]
    return "\n".join([*HEAD, *rows])


def _part(name: str, title: str, part: Mapping[str, Any], known: Mapping[str, float]) -> Iterator[str]:
    for turn, costs in sorted(part.items(), key=_place):
        if isinstance(costs, Mapping) and "wall_s" in costs:
            keys = (f"{name}.ratio.{turn}", f"{name}.ratio.pipeline_to_{turn}")
            key = next((key for key in keys if key in known), "")
            yield _row(title, turn, costs, known.get(key), BUDGETS.get(key))
    for turn, why in part.get("not_run", {}).items():
        yield f"| {title} | {turn} | not run: {why} | | | | |"


def _place(item: tuple[str, Any]) -> tuple[bool, str, int]:
    """Return where a turn stands: the pipeline first, those of growth by their number."""
    name, _, number = item[0].rpartition("_")
    return item[0] != "pipeline", name if number.isdigit() else item[0], int(number) if number.isdigit() else 0


def _row(title: str, who: str, costs: Mapping[str, float], ratio: float | None, limit: float | None) -> str:
    seconds = f"{costs['wall_s']:.2f} | {costs['cpu_s']:.2f}"
    compared = f"{'' if ratio is None else ratio} | {'' if limit is None else limit}"
    return f"| {title} | {who} | {seconds} | {costs['peak_mb']:.0f} | {compared} |"
