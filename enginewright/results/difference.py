"""Two commits or experiments: verdicts, the parameters that lead, and the figures that matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from enginewright.explaining.changes import arrow
from enginewright.explaining.naming import networks_joined
from enginewright.results.figures import Figures, is_verdict, rank
from enginewright.results.origins import Difference
from enginewright.results.screen import LINES, change, columns, number

Changed = tuple[tuple[str, str], Any, Any]


def difference(parameters: Sequence[Difference], old: Figures, new: Figures, everything: bool = False) -> list[str]:
    """Return the lines; without `everything` no more than fit on a screen, and how many were left out."""
    changed = [(key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    lines = [*_verdicts(changed, new), "", *_parameters(parameters), "", *_figures(changed, everything)]
    if everything or len(lines) <= LINES:
        return lines
    return [*lines[: LINES - 1], f"{len(lines) - LINES + 1} more lines: ALL=1 shows them"]


def _verdicts(changed: Sequence[Changed], new: Figures) -> Iterator[str]:
    rows = [
        (network, figure.removesuffix(".verdict").replace(".verdicts.", "."), _state(old), "->", _state(now))
        for (network, figure), old, now in changed
        if is_verdict(figure)
    ]
    counts: dict[str, int] = {}
    for (_, figure), state in new.items():
        if is_verdict(figure):
            counts[_state(state)] = counts.get(_state(state), 0) + 1
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"
    yield f"verdicts{'' if rows else ', none of which differs'} (now {told})"
    order = {"failed": 0, "not run": 1}
    yield from _indented(columns(sorted(rows, key=lambda row: order.get(row[-1], 2))))


def _state(value: Any) -> str:
    return str(value or "absent").replace("_", " ")


def _parameters(parameters: Sequence[Difference]) -> Iterator[str]:
    yield "parameters" if parameters else "parameters, none of which differs"
    groups: dict[tuple[str, str], list[str]] = {}
    for key, old, new in parameters:
        rest = key.split(".", 2)[2] if key.startswith("networks.") and key.count(".") > 1 else key
        groups.setdefault((rest, arrow(old, new)), []).append(key)
    yield from _indented(columns([(networks_joined(keys), told) for (_, told), keys in groups.items()]))


def _figures(changed: Sequence[Changed], everything: bool) -> Iterator[str]:
    numbers = [item for item in changed if not is_verdict(item[0][1])]
    shown = [item for item in numbers if everything or rank(item[0][1]) is not None]
    yield "figures" if shown else "figures, none of which differs"
    last = len(numbers)
    ordered = sorted(shown, key=lambda item: last if (place := rank(item[0][1])) is None else place)
    rows = [(network, figure, number(old), number(new), change(old, new)) for (network, figure), old, new in ordered]
    yield from _indented(columns(rows))
    if hidden := len(numbers) - len(shown):
        yield f"  {hidden} lesser figures differ too: ALL=1 shows them"


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def as_mapping(files: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the content of params.yaml from DVC's {path: {"data": values}}."""
    found: Mapping[str, Any] = files.get("params.yaml", {}).get("data", {})
    return found
