"""What a variant costs, as figures that are read at a glance, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from enginewright.pages.costs import ENGINE, GRAPH, LATENCY, Cost, asked, milliseconds, seconds
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count, megabytes


@dataclass(frozen=True)
class Fact:
    """One thing that a variant costs: a figure that is read at a glance, and what it means."""

    title: str
    figure: str
    note: str


def facts_of(one: Variant, baseline: Variant | None) -> tuple[Fact, ...]:
    """Return the costs of a variant, beside those of the baseline where there is one."""
    return _matches(one), _size(one, baseline), _latency(one, baseline), _build(one)


def _matches(one: Variant) -> Fact:
    if one.kept is None:
        return Fact("Matches lost", "not counted", "it makes no matches, or left no count of them")
    kept = one.kept
    lost = f"{100 * (1 - kept.share):.2g} % lost" if kept.lost else "none lost"
    gate = f"; its gate asks that {asked(one.asked)} be kept" if one.asked is not None else ""
    rests = f" on {one.evidence}" if one.evidence else ""
    return Fact("Matches lost", f"{count(kept.lost)} of {count(kept.original)}", f"{lost}{rests}, by {kept.how}{gate}")


def _size(one: Variant, baseline: Variant | None) -> Fact:
    if one.engine_mb is not None:
        against = _against(one, baseline, ENGINE)
        return Fact("Engines", megabytes(one.engine_mb), "; ".join(filter(None, (f"of {_parts(one)}", against))))
    note = "; ".join(filter(None, (_against(one, baseline, GRAPH), "no engine was built")))
    return Fact("Typed graph", megabytes(one.graph_mb), note)


def _latency(one: Variant, baseline: Variant | None) -> Fact:
    if one.latency_ms is None:
        return Fact("Latency", "not measured", "no engine was run, and no GPU table has this very graph")
    note = _against(one, baseline, LATENCY) if baseline and baseline.device == one.device else ""
    without = f", without {', '.join(one.parts[:-1])}" if one.parts[1:] else " alone"
    where = f"a call of {one.network}{without}, its graph in ONNX Runtime on {one.device}, no engine"
    return Fact("Latency", milliseconds(one.latency_ms), "; ".join(filter(None, (note, where))))


def _build(one: Variant) -> Fact:
    if one.build_s is None:
        return Fact("Build", "not built", "no engine was built")
    ran = "" if one.proof is Proof.engine else "; built, and never run"
    return Fact("Build", seconds(one.build_s), f"the builder's time, for {_parts(one)}{ran}")


def _parts(one: Variant) -> str:
    return " and ".join(one.parts) or "all its networks"


def _against(one: Variant, baseline: Variant | None, cost: Cost) -> str:
    """Return how a cost compares with the baseline's; empty if it cannot be."""
    ours, theirs = cost.of(one), cost.of(baseline) if baseline else None
    if baseline is None or ours is None or not theirs:
        return ""
    return f"{change(ours, theirs)} {'as' if ours == theirs else 'than'} {baseline.name}"


def change(new: float, old: float) -> str:
    """Return a change in words, in per cent of the old value."""
    if new == old:
        return "the same"
    ratio = abs(new / old - 1)
    size = f"{100 * ratio:.0f} %" if ratio >= 0.01 else "under 1 %"
    return f"{size} {'less' if new < old else 'more'}"
