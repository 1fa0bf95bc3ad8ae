"""A variant as the page compares it: one pipeline, built in one way, with what it costs and how far it is proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from enginewright.verdicts import State, Verdict


class Proof(IntEnum):
    """How far a variant is proven, the least first."""

    nothing = 0
    rehearsed = 1
    graph = 2
    engine = 3

    @property
    def words(self) -> str:
        """The level in a few words."""
        return _WORDS[self]

    @property
    def meaning(self) -> str:
        """The level in a sentence."""
        return _MEANINGS[self]


_WORDS = {
    Proof.nothing: "nothing",
    Proof.rehearsed: "rehearsed",
    Proof.graph: "graph proven",
    Proof.engine: "engine proven",
}
_MEANINGS = {
    Proof.nothing: "nothing was proven of it",
    Proof.rehearsed: "its rounding was rehearsed on a CPU, which can refute a variant and cannot prove it",
    Proof.graph: "its graph was computed in its own types and agrees with the original network; the engine was not run",
    Proof.engine: "its engine was run on a GPU and agrees with the original network",
}


@dataclass(frozen=True)
class Kept:
    """Matches of the original that a variant finds too. how: what was computed, in words."""

    original: int
    common: int
    how: str

    @property
    def share(self) -> float:
        """The share that is kept; 0 where the original has none."""
        return self.common / self.original if self.original else 0.0

    @property
    def lost(self) -> int:
        """Matches of the original that the variant does not find."""
        return self.original - self.common


@dataclass(frozen=True)
class Variant:
    """One variant of one pipeline (a matcher with its extractor, or a network alone).

    source: the sweep, the checkout, or the GPU that it was measured on. state: a key of `sweep.STATES`.
    gates: the worst verdict of its checks. unproven: (what, why) for each check that was not made.
    engine_mb: of all engines that the pipeline needs. graph_mb: of the typed graph of `network` alone.
    latency_ms: of `network` alone, on `device`. build_s: of the engines. seconds: of the whole variant, cache included.
    anchor: where the page tells more; empty where it does not.
    """

    name: str
    network: str
    source: str
    state: str
    gates: Verdict
    proof: Proof = Proof.nothing
    reason: str = ""
    opset: str = ""
    precision: str = ""
    form: str = ""
    kept: Kept | None = None
    error: float | None = None
    engine_mb: float | None = None
    graph_mb: float | None = None
    layers: int | None = None
    latency_ms: float | None = None
    device: str = ""
    build_s: float | None = None
    seconds: float | None = None
    unproven: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    anchor: str = ""

    @property
    def sound(self) -> bool:
        """Whether it exists and no gate was breached."""
        return self.state in ("done", "cached") and self.gates.state is not State.failed
