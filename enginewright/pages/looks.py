"""How a point looks: its shape and colour say how far a variant is proven, and the legend says the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import State


@dataclass(frozen=True)
class Look:
    """A kind of point. words: of the legend. stroke, fill: the style sheet's colours. word: of the glossary."""

    words: str
    shape: str
    stroke: str
    fill: str
    word: str = ""


ENGINE = Look("its engine passed on a GPU", "circle", "var(--passed)", "var(--passed)", "engine proven")
ON_GPU = Look("its graph passed on a GPU, in ONNX Runtime; no engine ran", "circle", "var(--link)", "var(--link)")
GRAPH = Look(
    "its graph passed on a CPU; its engine was not run", "circle", "var(--not-run)", "var(--not-run)", "graph proven"
)
REHEARSED = Look("only rehearsed, not proven", "diamond", "var(--not-run)", "var(--paper)", "rehearsed")
NOTHING = Look("nothing proven", "square", "var(--quiet)", "var(--paper)")
BREACHED = Look("a gate was breached", "cross", "var(--failed)", "var(--paper)")

LOOKS = (ENGINE, ON_GPU, GRAPH, REHEARSED, NOTHING, BREACHED)
"""All kinds, in the order of the legend."""


def look_of(one: Variant) -> Look:
    """Return how a variant's point looks. A row of a GPU table is a graph that passed there, never an engine."""
    if one.gates.state is State.failed:
        return BREACHED
    if one.proof is Proof.graph:
        return ON_GPU if one.device else GRAPH
    return {Proof.engine: ENGINE, Proof.rehearsed: REHEARSED}.get(one.proof, NOTHING)


def legend(variants: Sequence[Variant]) -> list[Look]:
    """Return the kinds of point that there are."""
    there = {look_of(one) for one in variants if one.kept}
    return [look for look in LOOKS if look in there]
