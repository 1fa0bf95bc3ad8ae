"""One line an experiment: the parameters that lead, the verdict on everything, matches, error and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.explaining.changes import as_words
from enginewright.report.words import NOTHING, count, megabytes, small
from enginewright.results.figures import Figures, is_verdict
from enginewright.results.origins import Difference
from enginewright.results.screen import LINES, columns

HEAD = ("experiment", "verdict", "matches kept", "largest error", "engines", "changed from its commit")
_ARTIFACTS = ("exported", "simplified", "typed", "rehearsed", "engine")


@dataclass(frozen=True)
class Line:
    """An experiment or a commit. indent: whether it is an experiment of the commit above."""

    name: str
    figures: Figures
    changed: Sequence[Difference] = ()
    indent: bool = False
    note: str = ""


def listing(lines: Sequence[Line], everything: bool = False) -> list[str]:
    """Return a table of the experiments; without `everything` those that fit on a screen, and how many do not."""
    rows = columns([HEAD, *map(_row, lines)])
    if everything or len(rows) <= LINES:
        return rows
    return [*rows[: LINES - 1], f"{len(rows) - LINES + 1} more: ALL=1 shows them"]


def _row(line: Line) -> tuple[str, ...]:
    changed = ", ".join(f"{_shortest(key)} {as_words(new)}" for key, _, new in line.changed)
    return (
        f"{'  ' * line.indent}{line.name}",
        line.note or verdict(line.figures),
        _matches(line.figures),
        small(_largest(line.figures)),
        _engines(line.figures),
        changed,
    )


def verdict(figures: Figures) -> str:
    """Return the worst verdict of all networks, with the checks that failed."""
    states = {key: value for key, value in figures.items() if is_verdict(key[1])}
    failing = sorted(
        {f"{network} {figure.split('.')[0]}" for (network, figure), state in states.items() if state == "failed"}
    )
    if failing:
        return f"failed: {', '.join(failing)}"
    return "not run" if "not_run" in states.values() else "passed" if states else NOTHING


def _matches(figures: Figures) -> str:
    """Return the fewest matches that any artifact of any matcher keeps, of how many."""
    kept = [
        (found / of, found, of)
        for (network, figure), found in figures.items()
        if figure in {f"match.{name}.common" for name in _ARTIFACTS}
        and (of := figures.get((network, "match.original.matches")))
    ]
    return f"{count(min(kept)[1])} of {count(min(kept)[2])}" if kept else NOTHING


def _largest(figures: Figures) -> float | None:
    graphs = ("compare.exported.", "compare.simplified.", "compare.typed.")
    found = [
        value for (_, figure), value in figures.items() if figure.startswith(graphs) and figure.endswith(".max_abs")
    ]
    return max((value for value in found if isinstance(value, int | float)), default=None)


def _engines(figures: Figures) -> str:
    sizes = [value for (_, figure), value in figures.items() if figure == "build.engine_mb"]
    return megabytes(sum(sizes)) if sizes else NOTHING


def _shortest(key: str) -> str:
    return key.removeprefix("networks.")
