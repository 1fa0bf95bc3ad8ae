"""One of many variants: the cheapest, where costs that differ by little are one, and what decides between equals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from enginewright.pages.costs import Cost
from enginewright.pages.variant import Kept, Variant
from enginewright.verdicts import State

TIE = 0.02
"""Costs within this share of the least are as good: builds and timings vary by as much."""
_SAME_ERROR = 0.1
"""Errors within this share of the least are the same."""
_FIRST = "it stands first in the sweep"


@dataclass(frozen=True)
class Choice:
    """A variant, those that are as good, and what the choice among them fell by; empty where there was none."""

    one: Variant
    tied: tuple[Variant, ...] = ()
    by: str = ""


def choose(variants: Sequence[Variant], cost: Cost | None, measured: Sequence[Variant]) -> Choice | None:
    """Return the least cost, then most matches, then the least error. measured: variants of GPU tables."""
    left = _within(variants, cost.of, TIE) if cost else list(variants)
    return _settle(_most_kept(left), measured)


def safest(variants: Sequence[Variant], cost: Cost, measured: Sequence[Variant]) -> Choice | None:
    """Return most matches, then the least cost, then the least error: of what is only worth proving."""
    return _settle(_within(_most_kept(variants), cost.of, TIE), measured)


def _most_kept(variants: Sequence[Variant]) -> list[Variant]:
    return _within(variants, lambda one: 1 - (one.kept.share if one.kept else 0.0), 0.0)


def _within(variants: Sequence[Variant], of: Callable[[Variant], float | None], share: float) -> list[Variant]:
    """Return those of the least value, or within a share of it; what has no value is as good as the worst."""
    known = [value for one in variants if (value := of(one)) is not None]
    limit = min(known, default=0.0) * (1 + share)
    return [one for one in variants if not known or ((value := of(one)) is not None and value <= limit)]


def _settle(variants: Sequence[Variant], measured: Sequence[Variant]) -> Choice | None:
    """Choose between equals by their error, then by what a GPU has measured, then by their order."""
    left = _within(variants, lambda one: one.error, _SAME_ERROR)
    if not left:
        return None
    known = {one: device for one in left if (device := device_of(one, measured))}
    best = next(iter(known), left[0])
    tied = tuple(one for one in left if one is not best)
    by = f"the same precision, LayerNorm form and opset were measured on {known[best]}" if known else _FIRST
    return Choice(best, tied, by if tied and len(known) < len(left) else _FIRST if tied else "")


def device_of(one: Variant, measured: Sequence[Variant]) -> str:
    """Return the GPU on which the same precision, form and opset passed; empty if none did."""
    found = (other for other in measured if other.family == one.family and other.opset == one.opset)
    return next((other.source for other in found if other.gates.state is State.passed and one.opset), "")


def tried(family: tuple[str, str], variants: Sequence[Variant]) -> Kept | None:
    """Return the matches of all variants of a precision and form together, or None where none was counted."""
    counts = [one.kept for one in variants if one.family == family and one.kept]
    if not counts:
        return None
    return Kept(sum(kept.original for kept in counts), sum(kept.common for kept in counts), "all of them together")


def worth_proving(variants: Sequence[Variant], best: Variant, cost: Cost, measured: Sequence[Variant]) -> Choice | None:
    """Return what costs less than the best by more than a tie and is proven less far, and most likely holds.

    That is of the precision and form that kept most matches, its siblings and those of GPU tables counted with it; what
    failed on a GPU is left out. Of equal ones the cheapest.
    """
    ours = cost.of(best)
    behind = [one for one in variants if one.proof < best.proof and ours and _less(cost.of(one), ours)]
    refuted = {one.family for one in measured if one.gates.state is State.failed}
    left = [one for one in behind if one.family not in refuted]
    shares = {one.family: _share(one.family, [*variants, *measured]) for one in left}
    equal = [one for one in left if shares[one.family] == max(shares.values())]
    family = min(equal, key=lambda one: cost.of(one) or 0.0).family if equal else None
    return safest([one for one in equal if one.family == family], cost, measured)


def _share(family: tuple[str, str], variants: Sequence[Variant]) -> float:
    kept = tried(family, variants)
    return kept.share if kept else 0.0


def _less(value: float | None, other: float) -> bool:
    return value is not None and value < other * (1 - TIE)
