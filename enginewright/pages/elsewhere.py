"""What GPU tables say of a pipeline: evidence from elsewhere, and which variants of the page it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.pages.advice import Advice, advise
from enginewright.pages.costs import milliseconds
from enginewright.pages.facts import change
from enginewright.pages.names import joined
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import count, many


@dataclass(frozen=True)
class Elsewhere:
    """A table's answer. here: which variants of the page its best is, and how far proven. command: brings it in."""

    title: str
    what: str
    best: str
    here: str
    command: str


def elsewhere(advice: Advice, again: str) -> list[Elsewhere]:
    """Return what each GPU's table says of advice's pipeline. again: the command that repeats the sweep."""
    tables: dict[str, list[Variant]] = {}
    for one in advice.measured:
        tables.setdefault(one.source, []).append(one)
    return [_of(advise(table), advice, again) for table in tables.values()]


def _of(table: Advice, page: Advice, again: str) -> Elsewhere:
    first = table.best or table.variants[0]
    what = f"{many(len(table.variants), 'typed graph')} of {table.network} alone, in ONNX Runtime; no engine"
    if len(first.parts) < max(len(one.parts) for one in page.variants):
        what += ", and without the extractor"
    title = f"{table.source}: {first.evidence}"
    if table.best is None:
        return Elsewhere(title, f"{what}.", "None of them passed there.", "", "")
    best, same = table.best, [one for one in page.variants if one.family == table.best.family]
    here = f"{_here(best, same)} {_ours(table, page.best)}".strip()
    return Elsewhere(title, f"{what}.", _best(table, best), here, _command(best, same, page.variants, again))


def _ours(table: Advice, ours: Variant | None) -> str:
    """Say what the table has of the precision and form that the page recommends, where that is not its own best."""
    rows = [one for one in table.variants if ours and one.family == ours.family and one is not table.best]
    if not rows or rows[0].latency_ms is None:
        return ""
    return f"Of what is recommended above it has {rows[0].name}: {_figures(rows[0])}."


def _figures(one: Variant) -> str:
    kept = f", {count(one.kept.common)} of {count(one.kept.original)} matches kept" if one.kept else ""
    return f"{milliseconds(one.latency_ms)}{kept}"


def _best(table: Advice, best: Variant) -> str:
    base, ours = table.baseline, best.latency_ms
    saved = f", {change(ours, base.latency_ms)} time than {base.name}" if base and ours and base.latency_ms else ""
    return f"Its best is {best.name}: {_figures(best)}{saved}."


def _here(best: Variant, same: Sequence[Variant]) -> str:
    axes = f"{best.precision} with LayerNorm {best.form}"
    if not same:
        return f"No variant above has {axes}."
    proof = max(one.proof for one in same)
    level = {Proof.rehearsed: "only rehearsed", Proof.nothing: "not proven at all"}.get(proof, proof.words)
    return f"That is {axes}: {joined([one.name for one in same])} above, {level} here."


def _command(best: Variant, same: Sequence[Variant], variants: Sequence[Variant], again: str) -> str:
    if same:
        apply = {one.opset: f"dvc exp apply {one.experiment}" for one in same if one.experiment}
        return apply.get(best.opset) or next(iter(apply.values()), "")
    if not again:
        return f"dvc exp run -S precision={best.precision} -S layernorm={best.form}"
    precisions = dict.fromkeys([*(one.precision for one in variants if one.precision), best.precision])
    forms = dict.fromkeys([*(one.form for one in variants if one.form), best.form])
    return f"{again} ARGS='precision={','.join(precisions)} layernorm={','.join(forms)}'"
