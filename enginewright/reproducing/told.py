"""What a rebuild found, as a table on the screen and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from enginewright.explaining.changes import short
from enginewright.reproducing.outputs import ARTIFACTS, Output, State
from enginewright.reproducing.surroundings import Surroundings
from enginewright.results.screen import columns


def lines(found: Sequence[Output], surroundings: Surroundings, causes: Sequence[str]) -> Iterator[str]:
    """Yield the table, what differs below each row, and the verdict at the end."""
    told = [f"{name} {value}" for name, value in surroundings.told.items()]
    yield f"rebuilt with {', '.join(told)}"
    yield from (f"not changed: {name}: {why}" for name, why in surroundings.not_changed.items())
    yield from ("", "inputs that differ, so that outputs may:", *causes) if causes else ()
    yield ""
    rows = columns([(item.stage, item.path, short(item.before), item.state.value) for item in found])
    for item, row in zip(found, rows, strict=True):
        yield row
        yield from (f"    {line}" for line in item.lines)
    yield ""
    yield verdict(found)


def verdict(found: Sequence[Output]) -> str:
    """Return the last line: passed, or which stage is the first to differ."""
    artifacts = [item for item in found if item.path.partition("/")[0] == ARTIFACTS]
    share = _share(artifacts)
    breaches = [item for item in found if item.breach]
    if breaches:
        first = breaches[0]
        return f"failed: {share}; {len(breaches)} outputs differ, {first.path} of {first.stage} the first"
    unseen = sum(item.state is State.unseen for item in found)
    rest = f"; {unseen} files were not compared: another digest, and the older file is not here" if unseen else ""
    return f"passed: {share}{rest}"


def _share(artifacts: Sequence[Output]) -> str:
    """Return how many artifacts have the same digest, and how many differ in nothing but what a run says of itself."""
    same = sum(item.before == item.after for item in artifacts)
    nearly = sum(item.state is State.measured for item in artifacts)
    rest = f", {nearly} are the same but for what a run says of itself" if nearly else ""
    return f"{same} of {len(artifacts)} artifacts have the same digest{rest}"


def as_json(found: Sequence[Output], surroundings: Surroundings, causes: Sequence[str]) -> dict[str, Any]:
    """Return the same for programs."""
    rows = [
        {"stage": item.stage, "path": item.path, "before": item.before, "after": item.after,
         "state": item.state.name, "differences": list(item.lines)}
        for item in found
    ]  # fmt: skip
    return {
        "verdict": "failed" if any(item.breach for item in found) else "passed",
        "outputs": rows, "surroundings": dict(surroundings.told), "not_changed": dict(surroundings.not_changed),
        "inputs_that_differ": list(causes),
    }  # fmt: skip
