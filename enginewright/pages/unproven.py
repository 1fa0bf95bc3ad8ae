"""What was not run and why, reasons first: one missing requirement often explains many variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from enginewright.pages.variant import Variant
from enginewright.verdicts import State


@dataclass(frozen=True)
class Gap:
    """A reason, what it kept from being run, and the variants of which that is so."""

    reason: str
    what: tuple[str, ...]
    variants: tuple[str, ...]


def gaps_of(variants: Sequence[Variant]) -> list[Gap]:
    """Return a gap for each reason, that of most variants first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in variants:
        for what, reason in _unproven(one):
            found.setdefault(reason, []).append((what, _title(one)))
    gaps = [_gap(reason, cases) for reason, cases in found.items()]
    return sorted(gaps, key=lambda gap: -len(gap.variants))


def _gap(reason: str, cases: Sequence[tuple[str, str]]) -> Gap:
    return Gap(reason, tuple(dict.fromkeys(what for what, _ in cases)), tuple(dict.fromkeys(name for _, name in cases)))


def _title(one: Variant) -> str:
    return f"{one.name} ({one.source})"


def _unproven(one: Variant) -> Iterator[tuple[str, str]]:
    if one.state in ("refused", "not_run", "pending") and one.gates.state is not State.failed and one.reason:
        yield f"{one.network or 'the variant'}: {one.state.replace('_', ' ')}", one.reason
    else:
        yield from one.unproven
