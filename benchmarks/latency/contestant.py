"""What every contestant can do, whichever runtime it is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.latency.samples import Arrays

MATCHER = "matcher"
"""A plan's word for LightGlue; the others are extractors."""
EXTRACTORS = {"disk": "disk", "aliked": "aliked_n16"}
"""The networks of conf/ by a plan's words for them."""


@dataclass(frozen=True)
class Spec:
    """One contestant of a plan.

    name: its row. kind: `ort`, `torch` or `peaks`. group: contestants that are timed in turns. network: whose outputs.
    reference: .npz of its samples, in the bundle. pairs: in a call. options: of its runtime. limit_s: for loading.
    phase: contestants that are loaded together.
    """

    name: str
    kind: str
    group: str
    precision: str = "float16"
    network: str = MATCHER
    reference: str = ""
    keypoints: int = 1024
    pairs: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    limit_s: float = 90.0
    phase: int = 1


class Contestant(Protocol):
    """A loaded network with its inputs on the device."""

    def put(self, inputs: Arrays) -> None:
        """Copy inputs to the device."""

    def call(self) -> None:
        """Run once on what was put, and wait for the end."""

    def outputs(self) -> Arrays:
        """Return what the last call gave."""

    def facts(self) -> dict[str, Any]:
        """Return what is worth knowing of it: versions, operators, bytes."""


def loaded(spec: Spec, bundle: Path, cuda: bool) -> Contestant:
    """Return the contestant of a plan's line, ready to be called."""
    if spec.kind == "ort":
        from benchmarks.latency.ort_contestant import OrtContestant

        return OrtContestant(spec, bundle, cuda)
    from benchmarks.latency.torch_contestant import TorchContestant

    return TorchContestant(spec, bundle, cuda)
