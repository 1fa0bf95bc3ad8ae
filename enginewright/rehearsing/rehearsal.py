"""Rehearses a typed graph on a CPU: its ranges, and its outputs with every result rounded as hardware stores it.

A rehearsal can refute a graph and cannot prove one: kernels of a GPU sum in another order, fuse other nodes and hold
other intermediates. So what it passes still is `not_run` where no GPU has run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.comparing.compare import Comparison, compare_graphs
from enginewright.config.sections import CompareConfig
from enginewright.graphs.files import load_graph
from enginewright.graphs.provider import CPU
from enginewright.reference import Reference
from enginewright.rehearsing.gate import Tensor, ranges_of, tensors_in, verdict_of
from enginewright.rehearsing.rounding import rounded_file
from enginewright.verdicts import Verdict

RANGES, REHEARSED = "ranges", "rehearsed"
"""The entries of compare.json that a rehearsal makes."""


@dataclass(frozen=True)
class Rehearsal:
    """What was found: the rounded graph beside the reference, and every reduced tensor."""

    comparison: Comparison
    tensors: list[Tensor]

    def metrics(self) -> dict[str, Any]:
        """Return both entries of compare.json."""
        return {RANGES: ranges_of(self.tensors), REHEARSED: self.comparison.metrics()}

    def verdicts(self, config: CompareConfig) -> dict[str, Verdict]:
        """Return the verdict of each entry."""
        return {RANGES: verdict_of(self.tensors), REHEARSED: self.comparison.verdict(REHEARSED, config)}

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of ranges.json, in the graph's order."""
        return [tensor.row(position) for position, tensor in enumerate(self.tensors)]


def rehearse(typed: Path, modules: Mapping[str, str], reference: Reference, config: CompareConfig) -> Rehearsal:
    """Return the rehearsal of a graph that computes in a reduced type; modules: torch paths by node name.

    Raises:
        GraphError, CompareError: if ONNX Runtime does not run it.
    """
    tensors = tensors_in(load_graph(typed), modules, reference, config)
    with rounded_file(typed) as path:
        found = compare_graphs({REHEARSED: path}, reference, config, CPU)[REHEARSED]
    return Rehearsal(found, tensors)
