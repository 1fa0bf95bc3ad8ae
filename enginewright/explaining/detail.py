"""One stage: each thing that differs, and what the stages before it have to do with that."""

from __future__ import annotations

from collections.abc import Iterator

from enginewright.explaining.changes import Cases, Change
from enginewright.explaining.overview import wrapped

_COLUMN = max(len(word) for word in ("parameter", "upstream")) + 2


def detail(cases: Cases, stage: str) -> Iterator[str]:
    """Yield the lines on a stage that has a case."""
    case = cases[stage]
    yield f"{stage} {case.outcome.value}:"
    for change in case.changes:
        yield from _row(change.kind.value, str(change))
    for change, path in _upstream(cases, stage).items():
        yield from _row("upstream", f"{' > '.join(path)}: {change}")


def _row(name: str, text: str) -> list[str]:
    return wrapped(f"  {name:<{_COLUMN}}{text}")


def _upstream(cases: Cases, stage: str) -> dict[Change, tuple[str, ...]]:
    """Return the root causes that are not the stage's own, each with the shortest way that it takes to the stage."""
    found: dict[Change, tuple[str, ...]] = {}
    seen = {stage}
    pending: list[tuple[str, ...]] = [(name,) for name in cases[stage].follows]
    while pending:
        path = pending.pop(0)
        if path[0] not in seen:
            seen.add(path[0])
            case = cases[path[0]]
            found |= {change: path for change in case.changes if change not in (*found, *cases[stage].changes)}
            pending += [(name, *path) for name in case.follows]
    return found
