"""What preflight found: every blocker with its nodes and its cure, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json
from enginewright.config.choices import Builder
from enginewright.errors import GraphError
from enginewright.verdicts import PASSED, State, Verdict, failed

_MOST_NODES = 5

IN_FP32, UNSIMPLIFIED = "fp32", "unsimplified"
_WHERE = {IN_FP32: "in fp32", UNSIMPLIFIED: "without a simplifier"}
"""What a blocker can depend on that later stages decide: the key in preflight.json, and the words of the refusal."""

Pending = Mapping[str, tuple["Blocker", ...]]


@dataclass(frozen=True)
class Blocker:
    """One reason why no engine comes out.

    nodes: where, by name; a node without one by its index and first output, one in a subgraph with the way to it; the
    tensor for what is wrong with an input, an output or a stored tensor. operator: its type, or "input", "output",
    "tensor" or "graph". message: what is wrong. by: who refused it, "parser", "builder" or "graph" (no tool asked).
    """

    nodes: tuple[str, ...]
    operator: str
    message: str
    cure: str
    by: str

    def __str__(self) -> str:
        shown = ", ".join(self.nodes[:_MOST_NODES])
        rest = len(self.nodes) - _MOST_NODES
        where = f"{shown} and {rest} more" if rest > 0 else shown
        return f"{self.operator} {where}: {self.message} ({self.by})\n    cure: {self.cure}"


@dataclass(frozen=True)
class Counts:
    """How much was looked at.

    nodes: of the graph, subgraphs included. alone: distinct nodes that were built alone. unchecked: nodes that could
    not be, because their inputs' types or sizes are unknown (behind a blocker, mostly).
    """

    nodes: int = 0
    alone: int = 0
    unchecked: int = 0


@dataclass(frozen=True)
class Report:
    """The answer of preflight. notes: what does not stop the builder, but should be known.

    pending: the blockers that a later stage takes away or does not, by what they depend on.
    """

    builder: Builder
    verdict: Verdict
    blockers: tuple[Blocker, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Counts = Counts()
    pending: Pending = field(default_factory=dict)

    def __str__(self) -> str:
        about = f"preflight for {self.builder.name}: {self.verdict.state.value}"
        head = (
            f"{about}, {self.verdict.reason}"
            if self.verdict.reason
            else f"{about}, {_count(self.counts.nodes, 'node')}"
        )
        unchecked = self.counts.unchecked
        left = [f"  note: {_count(unchecked, 'node')} could not be checked alone"] * bool(unchecked)
        return "\n".join([head, *(f"  {item}" for item in self.blockers), *(f"  note: {n}" for n in self.notes), *left])

    def as_metrics(self) -> dict[str, Any]:
        """Return the content of preflight.json: the same for the same graph, builder and options."""
        return {
            **self.verdict.as_metrics(),
            "blockers": _plain(self.blockers),
            "pending": {condition: _plain(found) for condition, found in self.pending.items()},
            "notes": list(self.notes),
            **asdict(self.counts),
        }

    def refuse_blockers(self, what: str) -> None:
        """Do nothing unless there are blockers.

        Args:
            what: the graph, as the message should call it.

        Raises:
            GraphError: listing every blocker with its cure.
        """
        if self.verdict.state is State.failed:
            raise _refusal(f"{self.builder.name} cannot build {what}", self.blockers)


def refuse_pending(path: Path | None, condition: str, what: str) -> None:
    """Do nothing unless preflight.json has blockers that hold under `condition`, which the calling stage fulfils.

    path: of preflight.json, None where a stage by hand runs without one.

    Raises:
        GraphError: listing every such blocker with its cure; also for a file that preflight did not write.
    """
    blockers = _pending(path, condition) if path else []
    if blockers:
        raise _refusal(f"the builder cannot build {what} {_WHERE[condition]}", blockers)


def _pending(path: Path, condition: str) -> list[Blocker]:
    raw = read_json(path)
    try:
        rows = raw.get("pending", {}).get(condition, ())
        return [_blocker(row) for row in rows]
    except (AttributeError, KeyError, TypeError) as error:
        raise GraphError(
            f"{path.name} is not what preflight writes: {error}", expected="pending blockers", cure="dvc repro"
        ) from error


def _blocker(row: Mapping[str, Any]) -> Blocker:
    texts = {key: str(value) for key, value in row.items() if key != "nodes"}
    return Blocker(nodes=tuple(map(str, row["nodes"])), **texts)


def _refusal(what: str, blockers: Sequence[Blocker]) -> GraphError:
    return GraphError(
        what,
        expected="a graph that it takes",
        got="\n  ".join([_count(len(blockers), "blocker"), *map(str, blockers)]),
        cure="the one below each blocker",
    )


def _plain(blockers: Iterable[Blocker]) -> list[dict[str, Any]]:
    return [asdict(item) | {"nodes": list(item.nodes)} for item in blockers]


def report_of(
    builder: Builder,
    blockers: Iterable[Blocker],
    notes: Iterable[str],
    counts: Counts,
    pending: Pending | None = None,
) -> Report:
    """Return the report of a check that was made; blockers that differ only in their nodes become one."""
    merged = _merged(blockers)
    verdict = failed(_count(len(merged), "blocker")) if merged else PASSED
    later = {condition: _merged(found) for condition, found in (pending or {}).items() if found}
    return Report(builder, verdict, merged, tuple(dict.fromkeys(notes)), counts, later)


def _merged(blockers: Iterable[Blocker]) -> tuple[Blocker, ...]:
    alike: dict[Blocker, list[str]] = {}
    for item in blockers:
        alike.setdefault(replace(item, nodes=()), []).extend(item.nodes)
    return tuple(replace(item, nodes=tuple(dict.fromkeys(nodes))) for item, nodes in alike.items())


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
