"""Which variant to ship, by a rule that the page states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.pages.choosing import TIE, Choice, choose, worth_proving
from enginewright.pages.costs import Cost, decisive
from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import State

RULE = (
    "Only variants in which no gate was breached are considered. Those that are proven furthest come first: engine run "
    "on a GPU, then graph computed in its own types, then rehearsed only. Among these the lowest latency decides where "
    "it was measured for all of them on one GPU, else the smallest engines, else the smallest typed graph. Costs "
    f"within {100 * TIE:.0f} % of the least are as good: of those, more matches kept, then the smaller error, then "
    "what a GPU table has of the same precision, LayerNorm form and opset, then the order of the sweep. A check that "
    "was not run counts for nothing. Worth proving next is what costs less by more than that and is proven less far: "
    "of the precision and LayerNorm form that kept most matches in all its variants here and in GPU tables together, "
    "never one that failed on a GPU."
)


@dataclass(frozen=True)
class Advice:
    """What to ship of the variants of one pipeline from one source.

    choice: None if no variant is sound. cost: what it was chosen by; None if nothing could be compared.
    baseline: what costs are compared with. lossless: the best that loses no match, where the best loses some.
    next: of what costs less and is proven less far, the one that is worth proving. measured: what GPU tables have.
    """

    network: str
    source: str
    variants: tuple[Variant, ...]
    choice: Choice | None
    cost: Cost | None
    baseline: Variant | None
    lossless: Variant | None
    next: Choice | None
    measured: tuple[Variant, ...] = ()

    @property
    def best(self) -> Variant | None:
        """The variant to ship."""
        return self.choice.one if self.choice else None

    @property
    def ready(self) -> bool:
        """Whether the best was proven at all; a rehearsal proves nothing."""
        return self.best is not None and self.best.proof >= Proof.graph

    def count(self, state: State) -> int:
        """Return how many variants have gates of this state."""
        return sum(one.gates.state is state for one in self.variants)


def advise_all(variants: Sequence[Variant], measured: Sequence[Variant] = ()) -> list[Advice]:
    """Return advice for each pipeline of each source. measured: variants of GPU tables, which are no choice here."""
    groups: dict[tuple[str, str], list[Variant]] = {}
    for one in variants:
        groups.setdefault((one.source, one.network), []).append(one)
    return [
        advise(found, [one for one in measured if one.network == network]) for (_, network), found in groups.items()
    ]


def advise(variants: Sequence[Variant], measured: Sequence[Variant] = ()) -> Advice:
    """Return the advice on variants of one pipeline from one source. measured: what GPU tables have of the pipeline."""
    sound = [one for one in variants if one.sound]
    level = max((one.proof for one in sound), default=Proof.nothing)
    first = [one for one in sound if one.proof is level]
    cost = decisive(first)
    choice = choose(first, cost, measured)
    return Advice(
        network=variants[0].network,
        source=variants[0].source,
        variants=tuple(variants),
        choice=choice,
        cost=cost,
        baseline=_baseline(variants, choice),
        lossless=_lossless(first, choice, cost, measured),
        next=worth_proving(sound, choice.one, cost, measured) if choice and cost else None,
        measured=tuple(measured),
    )


def _baseline(variants: Sequence[Variant], choice: Choice | None) -> Variant | None:
    """Return the first sound fp32 variant, of native LayerNorm where there is one, unless it is as good as the best."""
    plain = [one for one in variants if one.sound and one.precision == "fp32"]
    native = [one for one in plain if one.form == "native"]
    found = next(iter([*native, *plain]), None)
    return None if choice and found in (choice.one, *choice.tied) else found


def _lossless(
    first: Sequence[Variant], choice: Choice | None, cost: Cost | None, measured: Sequence[Variant]
) -> Variant | None:
    if choice is None or choice.one.kept is None or not choice.one.kept.lost:
        return None
    found = choose([one for one in first if one.kept and not one.kept.lost], cost, measured)
    return found.one if found else None
