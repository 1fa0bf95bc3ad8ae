"""Two locks beside each other: what ran between them, and why."""

from __future__ import annotations

from collections.abc import Mapping

from enginewright.explaining.changes import Case, Change, Kind, Outcome
from enginewright.explaining.commands import command_change
from enginewright.explaining.contents import Contents, dependency_changes
from enginewright.explaining.locked import Record
from enginewright.explaining.values import parameter_changes
from enginewright.lineage.order import in_order
from enginewright.lineage.paths import overlap

Records = Mapping[str, Record]


def compared(old: Records, new: Records, contents: Contents) -> dict[str, Case]:
    """Return the case of each stage of the new lock whose record differs from the old one, in the pipeline's order."""
    found = {name: _case(name, old, new, contents) for name in pipeline_order(new)}
    return {name: case for name, case in found.items() if case is not None}


def _case(name: str, old: Records, new: Records, contents: Contents) -> Case | None:
    before, after = old.get(name), new[name]
    if before is None:
        return Case(name, Outcome.ran, (Change(Kind.new, "never run before"),))
    recorded = {key: before.params[key] for key in after.params if key in before.params}
    changes = [*command_change(name, before.cmd, after.cmd), *parameter_changes(recorded, after.params)]
    follows: list[str] = []
    for path in (path for path, md5 in after.deps.items() if before.deps.get(path) != md5):
        writers = [writer for writer in _writers(new, path) if _wrote_otherwise(writer, path, old, new)]
        follows += writers
        if not writers:
            changes += dependency_changes(path, before.deps.get(path), after.deps[path], contents)
    if not changes and not follows:
        changes = [
            Change(Kind.output, path, "came out otherwise from the same inputs") for path in _other(before, after)
        ]
    return Case(name, Outcome.ran, tuple(changes), tuple(dict.fromkeys(follows))) if changes or follows else None


def _other(before: Record, after: Record) -> list[str]:
    return [path for path, md5 in after.outs.items() if before.outs.get(path) != md5]


def _writers(records: Records, path: str) -> list[str]:
    return [name for name, record in records.items() if any(overlap(out, path) for out in record.outs)]


def _wrote_otherwise(name: str, path: str, old: Records, new: Records) -> bool:
    return name not in old or any(overlap(out, path) for out in _other(old[name], new[name]))


def pipeline_order(records: Records) -> list[str]:
    """Return the stages in the pipeline's order: a lock has them in another one."""
    return in_order(
        {
            name: dict.fromkeys(writer for path in record.deps for writer in _writers(records, path))
            for name, record in records.items()
        }
    )
