"""Which variant to ship, by a rule that the page states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.pages.costs import Cost, decisive
from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import State

RULE = (
    "Only variants in which no gate was breached are considered. Those that are proven furthest come first: engine run "
    "on a GPU, then graph computed in its own types, then rehearsed only. Among these the lowest latency decides where "
    "it was measured for all of them on one GPU, else the smallest engines, else the smallest typed graph; then more "
    "matches kept, then the smaller error. A check that was not run counts for nothing."
)


@dataclass(frozen=True)
class Advice:
    """What to ship of the variants of one pipeline from one source.

    best: None if no variant is sound. cost: what it was chosen by; None if nothing could be compared.
    baseline: what costs are compared with. lossless: the best that loses no match, where `best` loses some.
    cheaper: a sound variant that costs less and is proven less far, where there is one.
    """

    network: str
    source: str
    variants: tuple[Variant, ...]
    best: Variant | None
    cost: Cost | None
    baseline: Variant | None
    lossless: Variant | None
    cheaper: Variant | None

    @property
    def ready(self) -> bool:
        """Whether the best was proven at all; a rehearsal proves nothing."""
        return self.best is not None and self.best.proof >= Proof.graph

    def count(self, state: State) -> int:
        """Return how many variants have gates of this state."""
        return sum(one.gates.state is state for one in self.variants)


def advise_all(variants: Sequence[Variant]) -> list[Advice]:
    """Return advice for each pipeline of each source that has more to tell than that it failed to start."""
    groups: dict[tuple[str, str], list[Variant]] = {}
    for one in variants:
        groups.setdefault((one.source, one.network), []).append(one)
    return [advise(found) for found in groups.values()]


def advise(variants: Sequence[Variant]) -> Advice:
    """Return the advice on variants of one pipeline from one source."""
    sound = [one for one in variants if one.sound]
    level = max((one.proof for one in sound), default=Proof.nothing)
    first = [one for one in sound if one.proof is level]
    cost = decisive(first)
    best = _least(first, cost)
    return Advice(
        network=variants[0].network,
        source=variants[0].source,
        variants=tuple(variants),
        best=best,
        cost=cost,
        baseline=_baseline(variants, best),
        lossless=_lossless(first, best, cost),
        cheaper=_cheaper(sound, best, cost),
    )


def _least(variants: Sequence[Variant], cost: Cost | None) -> Variant | None:
    return min(variants, key=lambda one: _rank(one, cost), default=None)


def _rank(one: Variant, cost: Cost | None) -> tuple[float, float, float]:
    return _value(one, cost), -(one.kept.share if one.kept else 0.0), one.error if one.error is not None else 0.0


def _value(one: Variant, cost: Cost | None) -> float:
    value = cost.of(one) if cost else None
    return float("inf") if value is None else value


def _baseline(variants: Sequence[Variant], best: Variant | None) -> Variant | None:
    """Return the first sound fp32 variant, of native LayerNorm where there is one, unless it is the best."""
    plain = [one for one in variants if one.sound and one.precision == "fp32"]
    native = [one for one in plain if one.form == "native"]
    found = next(iter([*native, *plain]), None)
    return None if found is best else found


def _lossless(first: Sequence[Variant], best: Variant | None, cost: Cost | None) -> Variant | None:
    if best is None or best.kept is None or not best.kept.lost:
        return None
    return _least([one for one in first if one.kept and not one.kept.lost], cost)


def _cheaper(sound: Sequence[Variant], best: Variant | None, cost: Cost | None) -> Variant | None:
    """Return what keeps most of those that cost less than the best and are proven less far; of equals the cheapest."""
    if best is None or cost is None:
        return None
    behind = [one for one in sound if one.proof < best.proof and _value(one, cost) < _value(best, cost)]
    return min(behind, key=lambda one: (_rank(one, cost)[1], _value(one, cost)), default=None)
