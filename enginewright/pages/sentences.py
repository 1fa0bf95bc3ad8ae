"""Advice in plain sentences: what to ship, what it costs, what was not proven, and what would prove it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enginewright.pages.advice import Advice
from enginewright.pages.choosing import TIE, Choice, tried
from enginewright.pages.costs import Cost, asked
from enginewright.pages.evidence import thin
from enginewright.pages.facts import Fact, change, facts_of
from enginewright.pages.from_run import SWEEP
from enginewright.pages.names import joined
from enginewright.pages.proving import Proving, proving_of
from enginewright.pages.unproven import gaps_of
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count
from enginewright.verdicts import State


@dataclass(frozen=True)
class Next:
    """What is worth proving after the best: its name and anchor, what it saves, why it is worth it, and how."""

    name: str
    anchor: str
    saves: str
    why: tuple[str, ...]
    proving: Proving | None


@dataclass(frozen=True)
class Card:
    """Advice for one pipeline. tone: `proven`, `graph`, `candidate` or `none`.

    status: how far it is proven. warning: that the evidence is little, and the command that gives more. equals: what is
    as good, and why not that.
    """

    title: str
    tone: str
    headline: str
    why: str
    name: str = ""
    anchor: str = ""
    status: str = ""
    facts: tuple[Fact, ...] = ()
    warning: tuple[str, str] = ("", "")
    equals: str = ""
    unproven: tuple[tuple[str, str], ...] = ()
    proving: Proving | None = None
    lossless: str = ""
    next: Next | None = None


def card_of(advice: Advice, again: str = "") -> Card:
    """Return advice in words. again: the command that repeats the sweep; empty where there was none."""
    best, choice = advice.best, advice.choice
    title = _title(advice)
    if best is None or choice is None:
        return Card(title, "none", "Ship nothing yet", _nothing(advice))
    return Card(
        title=title,
        tone=_TONES[best.proof],
        headline=_headline(advice, best),
        why=_why(advice, best),
        name=best.name,
        anchor=best.anchor,
        status=_STATUS[best.proof],
        facts=facts_of(best, advice.baseline),
        warning=_warning(best, again),
        equals=_equals(choice, advice.cost),
        unproven=tuple(("; ".join(gap.what), gap.reason) for gap in gaps_of([best])),
        proving=proving_of(best, again),
        lossless=_lossless(advice),
        next=_next(advice, best, again),
    )


_TONES = {
    Proof.engine: "proven",
    Proof.graph: "graph",
    Proof.rehearsed: "candidate",
    Proof.nothing: "candidate",
}
_STATUS = {
    Proof.engine: "Engine proven: it was run on a GPU and agrees with the original network.",
    Proof.graph: "Graph proven, in its own types, beside the original network. No engine of it has been run.",
    Proof.rehearsed: "Only rehearsed: its rounding was imitated on a CPU, which can refute it and cannot prove it.",
    Proof.nothing: "Nothing of it is proven.",
}


def _title(advice: Advice) -> str:
    """Return whose answer it is, and of which networks."""
    parts = advice.best.parts if advice.best else ()
    network = " with ".join(reversed(parts)) or advice.network or "all networks"
    source = "the answer of this sweep" if advice.source == SWEEP else advice.source
    return f"{source[:1].upper()}{source[1:]}: {network}"


def _headline(advice: Advice, best: Variant) -> str:
    if not advice.ready:
        return "Nothing is proven yet; prove first"
    if best.engine_mb is not None:
        return "Ship" if best.proof is Proof.engine else "Run it on a GPU, then ship"
    return f"Best on {best.source}; build it and ship" if best.tabled else "Build its engines, and ship"


def _nothing(advice: Advice) -> str:
    failed, total = advice.count(State.failed), len(advice.variants)
    return f"No variant came through: {failed} of {total} failed, {total - failed} were refused or not run."


def _warning(best: Variant, again: str) -> tuple[str, str]:
    """Say that the matches are few, and how to have more of them."""
    told = thin(best.kept.original, best.kept.lost, best.evidence) if best.kept else ""
    words = "data=folder data.folder=my_pairs"
    more = f"{again} ARGS='{words}'" if again else "dvc exp run -S data=folder -S data.folder=my_pairs"
    return (f"{told}.", more) if told else ("", "")


def _why(advice: Advice, best: Variant) -> str:
    total = len(advice.variants)
    out = ", ".join(_out(advice))
    if total == 1:
        return f"It is the only variant here: {out}."
    chosen = f"it has {advice.cost.lowest}" if advice.cost else "they cannot be compared in latency or size"
    return f"Of {total} variants: {out}. Of those proven furthest ({best.proof.words}), {chosen}."


def _out(advice: Advice) -> Iterator[str]:
    """Yield how many variants are out and why, and in how many some check is missing."""
    failed = advice.count(State.failed)
    yield f"{failed} failed a gate" if failed else "no gate failed"
    started = [one for one in advice.variants if one.state in ("done", "cached", "failed")]
    if rest := len(advice.variants) - len(started):
        yield f"{rest} {'was' if rest == 1 else 'were'} refused or not run"
    if missing := sum(one.gates.state is State.not_run for one in started):
        every = f"all {missing}" if missing == len(advice.variants) else f"{missing}"
        yield f"in {every} some gates could not be run" if len(advice.variants) > 1 else "some could not be run"


def _equals(choice: Choice, cost: Cost | None) -> str:
    """Say which are as good and by what the choice fell; nothing where there was no choice."""
    if not choice.tied:
        return ""
    names = joined([one.name for one in choice.tied])
    verb = "is" if len(choice.tied) == 1 else "are"
    same = f"{cost.title.partition(',')[0].lower()} within {100 * TIE:.0f} %, " if cost else ""
    taken = f"{choice.one.name} was taken because {choice.by}"
    return f"{names} {verb} as good: {same}as many matches kept, errors alike. {taken}."


def _lossless(advice: Advice) -> str:
    one, cost = advice.lossless, advice.cost
    if one is None or one is advice.best or cost is None:
        return ""
    return f"If no match may be lost: {one.name}, {cost.say(cost.of(one))}."


def _next(advice: Advice, best: Variant, again: str) -> Next | None:
    choice, cost = advice.next, advice.cost
    if choice is None or cost is None:
        return None
    one = choice.one
    saved = f"{cost.say(cost.of(one))}, {change(cost.of(one) or 0.0, cost.of(best) or 0.0)}"
    why = tuple(filter(None, (*_record(advice, one), _equals(choice, cost))))
    return Next(one.name, one.anchor, f"{saved}. {_level(one)}", why, proving_of(one, again))


def _level(one: Variant) -> str:
    return f"It has been proven less far: {one.proof.words}." if one.proof is Proof.graph else _STATUS[one.proof]


def _record(advice: Advice, one: Variant) -> Iterator[str]:
    """Yield what its precision and form kept here, what others did, and what GPU tables say of it."""
    axes = f"{one.precision} with LayerNorm {one.form}"
    if kept := tried(one.family, advice.variants):
        gate = f"; its gate asks for {asked(one.asked)}" if one.asked is not None else ""
        yield f"All variants of {axes} here kept {count(kept.common)} of {count(kept.original)} matches{gate}."
    for other in _rivals(advice, one):
        if kept := tried(other.family, advice.variants):
            lax = f" (and its gate asks for {asked(other.asked)} only)" if other.asked is not None else ""
            gate = lax if (other.asked or 0.0) < (one.asked or 0.0) else ""
            yield f"{other.precision} kept {count(kept.common)} of {count(kept.original)}{gate}."
    for row in advice.measured:
        if row.family == one.family and row.kept and row.gates.state is State.passed:
            yield f"{row.source} kept {count(row.kept.common)} of {count(row.kept.original)} with it ({row.evidence})."


def _rivals(advice: Advice, one: Variant) -> list[Variant]:
    """Return one variant of each other precision and form that is proven no further."""
    found = {other.family: other for other in advice.variants if other.sound and other.proof <= one.proof}
    return [other for family, other in found.items() if family != one.family]
