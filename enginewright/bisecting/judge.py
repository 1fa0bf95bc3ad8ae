"""The test of a bisection: is a rehearsal within the configured limits?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx

from enginewright.comparing.compare import Comparison
from enginewright.comparing.runs import run_graphs
from enginewright.config.network import NetworkConfig
from enginewright.contract import Kind
from enginewright.errors import CompareError
from enginewright.gpu.kept import Kept
from enginewright.graphs.provider import CPU
from enginewright.reference import Reference
from enginewright.rehearsing.rehearsal import REHEARSED
from enginewright.rehearsing.rounding import rounded_file
from enginewright.verdicts import Verdict


@dataclass
class Judged:
    """One rehearsal beside the reference. kept: the matches of a matcher, None for any other network."""

    comparison: Comparison = field(default_factory=Comparison)
    kept: Kept | None = None

    def verdict(self, config: NetworkConfig) -> Verdict:
        """Return the verdict by compare's limits, the share of matches among them."""
        return self.comparison.verdict(REHEARSED, config.compare)


def rehearsed(
    typed: Path,
    reference: Reference,
    config: NetworkConfig,
    full: frozenset[str] = frozenset(),
    source: onnx.ModelProto | None = None,
) -> Judged:
    """Return the rehearsal of a typed graph whose nodes in `full` are in float32; source: the graph before the cast.

    Raises:
        CompareError: if ONNX Runtime does not run the rounded twin.
    """
    contract = reference.contract
    matching = contract.kind is Kind.matcher and {"matches", "mscores"} <= {port.name for port in contract.outputs}
    judged = Judged(kept=Kept() if matching else None)
    with rounded_file(typed, full, source) as path:
        runs = zip(run_graphs({REHEARSED: path}, reference, CPU), reference.everywhere(), strict=True)
        for outcomes, (shape, _, expected) in runs:
            outputs = outcomes[REHEARSED]
            judged.comparison.add(expected, outputs, shape, config.compare.align_px)
            if judged.kept is not None and not isinstance(outputs, CompareError):
                judged.kept.add(expected, outputs)
    return judged


def first_samples(reference: Reference, count: int) -> Reference:
    """Return the reference's first samples, of its static shape only: what a search can afford."""
    inputs, outputs = (
        {name: array[:count] for name, array in side.items()} for side in (reference.inputs, reference.outputs)
    )
    return replace(reference, inputs=inputs, outputs=outputs, names=reference.names[:count], corners=())
