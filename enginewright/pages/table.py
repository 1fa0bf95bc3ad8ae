"""The table of variants: what each row and column holds, what it can be filtered by, and what its words mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enginewright.pages.costs import milliseconds, seconds
from enginewright.pages.variant import Proof, Variant
from enginewright.report.words import NOTHING, STATES, count, megabytes, share, small
from enginewright.verdicts import State

WORDS = {
    "done": "done",
    "cached": "cached",
    "failed": "failed",
    "refused": "refused",
    "not_run": "not run",
    "pending": "pending",
}
"""What may have become of a variant, in words."""

GLOSSARY = (
    ("done", "it was built, and at least one of its steps ran"),
    ("cached", "it was built before, and every step came from the cache"),
    ("failed", "a step ended with an error, or a gate was breached; nothing after it was made"),
    ("refused", "the combination is not supported, and nothing of it was started"),
    ("not run", "it was not started, or a check was not made; that is neither passed nor failed"),
    (
        "gates",
        "the worst verdict of preflight, compare, build (which runs what it built) and match, over all networks that "
        "the variant needs; not run is neither passed nor failed",
    ),
    *((level.words, level.meaning) for level in reversed(Proof)),
    ("kept", "the share of the original's matches that the variant finds too, rounded down"),
    ("gate asks", "the least share of matches that the gate of its precision lets pass: conf/budget"),
    ("latency", "one call of the network of that row alone, in ONNX Runtime, an extractor not included"),
    ("typed graph", "the size of the graph that the engine is made from, of the network of that row alone"),
    ("engines", "the sizes of all engines that are needed, the extractor's among them; build adds their times up"),
)

ANCHORS = {word: f"word-{number}" for number, (word, _) in enumerate(GLOSSARY, start=1)}
"""Where the page explains a word."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the value to sort by, the class of a badge, and whether it is a number or a long text."""

    text: str
    value: str = ""
    badge: str = ""
    number: bool = False
    long: bool = False


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    title: str
    of: Callable[[Variant], Cell]
    number: bool = False


@dataclass(frozen=True)
class Row:
    """A variant in the table. link: the id of its details. data: what filters read. best: whether it is recommended."""

    id: str
    link: str
    data: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    best: bool


def _figure(of: Callable[[Variant], float | None], say: Callable[[Any], str]) -> Callable[[Variant], Cell]:
    def cell(one: Variant) -> Cell:
        value = of(one)
        return Cell(say(value), "" if value is None else repr(value), number=True)

    return cell


def _gates(one: Variant) -> Cell:
    """Return the verdict, and how many checks are missing where some are."""
    words = STATES[one.gates.state.value]
    some = one.gates.state is State.not_run and 0 < one.missing < one.checks
    return Cell(f"{one.missing} of {one.checks} {words}" if some else words, badge=one.gates.state.value)


_COLUMNS = (
    Column("Variant", lambda one: Cell(one.name)),
    Column("From", lambda one: Cell(one.source)),
    Column("State", lambda one: Cell(WORDS[one.state], badge=one.state)),
    Column("Gates", _gates),
    Column("Reason", lambda one: Cell(one.reason or one.gates.reason, long=True)),
    Column("Proven", lambda one: Cell(one.proof.words)),
    Column("Matches lost", _figure(lambda one: one.kept.lost if one.kept else None, count), number=True),
    Column("Kept", _figure(lambda one: one.kept.share if one.kept else None, share), number=True),
    Column("Latency", _figure(lambda one: one.latency_ms, milliseconds), number=True),
    Column("Engines", _figure(lambda one: one.engine_mb, megabytes), number=True),
    Column("Typed graph", _figure(lambda one: one.graph_mb, megabytes), number=True),
    Column("Build", _figure(lambda one: one.build_s, seconds), number=True),
    Column("Largest error", _figure(lambda one: one.error, small), number=True),
    Column("Gate asks", _figure(lambda one: one.asked, share), number=True),
    Column("Opset", _figure(lambda one: int(one.opset) if one.opset.isdecimal() else None, count), number=True),
    Column("Precision", lambda one: Cell(one.precision or NOTHING)),
    Column("LayerNorm", lambda one: Cell(one.form or NOTHING)),
    Column("Network", lambda one: Cell(one.network or NOTHING)),
    Column("Layers", _figure(lambda one: one.layers, count), number=True),
    Column("Took", _figure(lambda one: one.seconds, seconds), number=True),
)
"""All that a variant has, what a choice is made by before what it was made with."""
FILTERS = (
    ("network", "network", lambda one: one.network),
    ("source", "from", lambda one: one.source),
    ("precision", "precision", lambda one: one.precision),
    ("form", "LayerNorm", lambda one: one.form),
    ("opset", "opset", lambda one: one.opset),
    ("state", "state", lambda one: WORDS[one.state]),
    ("gates", "gates", lambda one: STATES[one.gates.state.value]),
    ("proof", "proven", lambda one: one.proof.words),
)
"""What rows can be filtered by: name, label, and the value of a variant."""


def columns_for(variants: Sequence[Variant]) -> list[Column]:
    """Return the columns that tell variants apart or have a figure of any."""
    return [one for one in _COLUMNS if _telling(one, variants)]


def _telling(column: Column, variants: Sequence[Variant]) -> bool:
    cells = [column.of(one) for one in variants]
    if column.title == "Network":
        return len({cell.text for cell in cells}) > 1
    return not column.number or any(cell.value for cell in cells)


def rows_of(
    variants: Sequence[Variant],
    columns: Sequence[Column],
    ids: Mapping[Variant, str],
    links: Mapping[str, str],
    best: Collection[Variant],
) -> list[Row]:
    """Return a row for each variant. ids: of rows. links: ids of details by anchor. best: the recommended ones."""
    return [
        Row(
            id=ids[one],
            link=links.get(one.anchor, ""),
            data=tuple((key, of(one)) for key, _, of in FILTERS),
            cells=tuple(column.of(one) for column in columns),
            best=one in best,
        )
        for one in variants
    ]


def filters_for(variants: Sequence[Variant]) -> list[tuple[str, str, list[str]]]:
    """Return name, label and choices of each filter that has a choice to offer."""
    choices = [(key, title, sorted({of(one) for one in variants} - {""})) for key, title, of in FILTERS]
    return [choice for choice in choices if len(choice[2]) > 1]


def order(variants: Sequence[Variant]) -> list[Variant]:
    """Return the variants, those that came through first, otherwise as they came."""
    return sorted(variants, key=lambda one: (one.gates.state is State.failed, one.state not in ("done", "cached")))
