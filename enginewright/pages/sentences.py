"""Advice in plain sentences: what to ship, what it costs, and what was not proven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enginewright.pages.advice import Advice
from enginewright.pages.costs import ENGINE, GRAPH, LATENCY, Cost, milliseconds, seconds
from enginewright.pages.unproven import gaps_of
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count, megabytes
from enginewright.verdicts import State


@dataclass(frozen=True)
class Fact:
    """One thing that a variant costs: a figure that is read at a glance, and what it means."""

    title: str
    figure: str
    note: str


@dataclass(frozen=True)
class Card:
    """Advice for one pipeline. tone: `proven`, `graph`, `candidate` or `none`."""

    title: str
    tone: str
    headline: str
    name: str
    anchor: str
    why: str
    facts: tuple[Fact, ...]
    unproven: tuple[tuple[str, str], ...]
    others: tuple[str, ...]


def card_of(advice: Advice) -> Card:
    """Return advice in words."""
    best = advice.best
    title = f"{advice.network or 'All networks'}, {advice.source}"
    if best is None:
        return Card(title, "none", "Ship nothing yet", "", "", _nothing(advice), (), (), ())
    return Card(
        title=title,
        tone=_TONES[best.proof],
        headline=_headline(advice, best),
        name=best.name,
        anchor=best.anchor,
        why=_why(advice, best),
        facts=(_matches(best), _size(best, advice.baseline), _latency(best, advice.baseline), _build(best)),
        unproven=tuple((", and ".join(gap.what), gap.reason) for gap in gaps_of([best])),
        others=tuple(_others(advice)),
    )


_TONES = {
    Proof.engine: "proven",
    Proof.graph: "graph",
    Proof.rehearsed: "candidate",
    Proof.nothing: "candidate",
}


def _headline(advice: Advice, best: Variant) -> str:
    if not advice.ready:
        return "Nothing is proven yet; prove first"
    return "Ship" if best.engine_mb is not None else f"Best on {best.source}; build it and ship"


def _nothing(advice: Advice) -> str:
    failed, total = advice.count(State.failed), len(advice.variants)
    return f"No variant came through: {failed} of {total} failed, {total - failed} were refused or not run."


def _why(advice: Advice, best: Variant) -> str:
    total = len(advice.variants)
    if total == 1:
        return f"It is the only variant here, and no gate was breached: {best.proof.meaning}."
    chosen = f"it has {advice.cost.lowest}" if advice.cost else "they cannot be compared in latency or size"
    out = ", ".join(_out(advice))
    return f"Of {total} variants {out}. Of those proven furthest, {chosen}: {best.proof.meaning}."


def _out(advice: Advice) -> Iterator[str]:
    """Yield how many variants are out, and why."""
    failed = advice.count(State.failed)
    started = sum(one.state in ("done", "cached", "failed") for one in advice.variants)
    yield f"{failed or 'none'} failed"
    if rest := len(advice.variants) - started:
        yield f"{rest} {'was' if rest == 1 else 'were'} refused or not run"


def _matches(one: Variant) -> Fact:
    if one.kept is None:
        return Fact("Matches lost", "not counted", "it makes no matches, or left no count of them")
    kept = one.kept
    figure = f"{count(kept.lost)} of {count(kept.original)}"
    share = f"{100 * (1 - kept.share):.2g} % lost" if kept.lost else "none lost"
    return Fact("Matches lost", figure, f"{share}, by {kept.how}")


def _size(one: Variant, baseline: Variant | None) -> Fact:
    if one.engine_mb is not None:
        return Fact("Engines", megabytes(one.engine_mb), _against(one, baseline, ENGINE) or "of all its networks")
    note = "; ".join(filter(None, (_against(one, baseline, GRAPH), "no engine was built")))
    return Fact("Typed graph", megabytes(one.graph_mb), note)


def _latency(one: Variant, baseline: Variant | None) -> Fact:
    if one.latency_ms is None:
        return Fact("Latency", "not measured", "no table in benchmarks/gpu has this very graph: make gpu")
    note = _against(one, baseline, LATENCY) if baseline and baseline.device == one.device else ""
    where = f"a call of {one.network} on {one.device}, in ONNX Runtime"
    return Fact("Latency", milliseconds(one.latency_ms), "; ".join(filter(None, (note, where))))


def _build(one: Variant) -> Fact:
    if one.build_s is None:
        return Fact("Build", "not built", "no engine was built")
    return Fact("Build", seconds(one.build_s), "the builder alone, all its networks")


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
    share = abs(new / old - 1)
    size = f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
    return f"{size} {'less' if new < old else 'more'}"


def _others(advice: Advice) -> Iterator[str]:
    best, cost = advice.best, advice.cost
    if best is None or cost is None:
        return
    if advice.lossless is not None and advice.lossless is not best:
        one = advice.lossless
        yield f"If no match may be lost: {one.name}, {cost.say(cost.of(one))}."
    if advice.cheaper is not None:
        yield _cheaper(advice.cheaper, best, cost)


def _cheaper(one: Variant, best: Variant, cost: Cost) -> str:
    kept = f" It kept {count(one.kept.common)} of {count(one.kept.original)} matches there." if one.kept else ""
    level = "is only rehearsed" if one.proof is Proof.rehearsed else f"has been proven less far ({one.proof.words})"
    saved = change(cost.of(one) or 0.0, cost.of(best) or 0.0)
    rehearsed = kept if one.proof is Proof.rehearsed else ""
    return f"Worth proving next: {one.name}, {cost.say(cost.of(one))}, {saved}. It {level}.{rehearsed}"
