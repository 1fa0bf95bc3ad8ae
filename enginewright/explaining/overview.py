"""Every stage that does not stay as it is, in few lines: each root cause with all that follows from it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from enginewright.explaining.changes import Cases, Change, Kind, Outcome, roots
from enginewright.explaining.naming import networks_joined, stages_in_words

WIDTH = 120
_HANGING = "    "
_NAMED = 3
"""So many outputs are named; more are counted."""


def overview(cases: Cases) -> Iterator[str]:
    """Yield the lines: causes first, those with the same stages together, then what becomes of the stages."""
    for causes, stages in _grouped(cases).items():
        words = stages_in_words(stages)
        if len(causes) == 1:
            yield from wrapped(f"{causes[0]}: {words}")
        else:
            yield from (line for cause in causes for line in wrapped(cause))
            yield from wrapped(f"{_HANGING}-> {words}")


def outcomes(cases: Cases) -> Iterator[str]:
    """Yield a line for each thing that becomes of stages: which run, which are restored, which may run."""
    for outcome in Outcome:
        if names := [name for name, case in cases.items() if case.outcome is outcome]:
            yield from wrapped(f"{outcome.value}: {stages_in_words(names)}")


def wrapped(line: str) -> list[str]:
    """Return a line in pieces that fit on a screen, no word broken."""
    return textwrap.wrap(line, WIDTH, subsequent_indent=_HANGING, break_long_words=False, break_on_hyphens=False) or [
        line
    ]


def _grouped(cases: Cases) -> dict[tuple[str, ...], list[str]]:
    """Return the stages by the causes that they share, in the order of the pipeline."""
    stages: dict[str, list[str]] = {}
    for cause, changes in _joined(cases).items():
        stages[cause] = [name for name in cases if set(roots(cases, name)) & set(changes)]
    groups: dict[tuple[str, ...], list[str]] = {}
    for names in dict.fromkeys(map(tuple, stages.values())):
        groups[tuple(cause for cause in stages if tuple(stages[cause]) == names)] = list(names)
    return groups


def _joined(cases: Cases) -> dict[str, list[Change]]:
    """Return the changes by how they are told: the same of several networks, or outputs, is one cause."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in dict.fromkeys(change for case in cases.values() for change in case.changes):
        groups.setdefault((change.kind.value, _without_network(change), change.how), []).append(change)
    return {_told(changes): changes for changes in groups.values()}


def _without_network(change: Change) -> str:
    if change.kind is Kind.output:
        return ""
    first, *rest = change.what.split(".", 2)
    return rest[1] if change.kind is Kind.parameter and first == "networks" and len(rest) == 2 else change.what


def _told(changes: Sequence[Change]) -> str:
    names = [change.what for change in changes]
    if changes[0].kind is Kind.output:
        what = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} outputs, {names[0]} the first,"
    else:
        what = networks_joined(names)
    return f"{what} {changes[0].how}".rstrip()
