"""A variant as the page compares it: one pipeline, built in one way, with what it costs and how far it is proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from enginewright.engine.support import Targets
from enginewright.verdicts import State, Verdict

if TYPE_CHECKING:
    from enginewright.pages.evidence import Evidence


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
    Proof.rehearsed: "its rounding was imitated on a CPU, which can refute a variant and cannot prove it",
    Proof.graph: "its graph was computed in its own types and agrees with the original network; its engine was not run",
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
    gates: the worst verdict of its checks. unproven: (what, why) for each check that was not made. checks: how many
    gates there are, of which `missing` were not run. asked: the least share of matches that its gate lets pass.
    evidence: what matches were counted on.
    engine_mb: of all engines that the pipeline needs. graph_mb: of the typed graph of `network` alone.
    latency_ms: of `network` alone, on `device`. build_s: of the engines. seconds: of the whole variant, cache included.
    anchor: where the page tells more; empty where it does not. parts: the networks whose engines are needed. targets:
    the GPUs that they are for. experiment: its DVC experiment, empty if it has none.
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
    checks: int = 0
    missing: int = 0
    asked: float | None = None
    evidence: Evidence | None = None
    parts: tuple[str, ...] = ()
    targets: tuple[Targets, ...] = ()
    experiment: str = ""

    @property
    def family(self) -> tuple[str, str]:
        """What its numbers depend on: precision and LayerNorm form."""
        return self.precision, self.form

    @property
    def tabled(self) -> bool:
        """Whether it is a row of a GPU's table."""
        return bool(self.device) and self.source == self.device

    @property
    def sound(self) -> bool:
        """Whether it exists and no gate was breached."""
        return self.state in ("done", "cached") and self.gates.state is not State.failed
