"""Compares every artifact of a network with its reference, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.artifacts import sha256_of
from enginewright.comparing.align import align
from enginewright.comparing.judge import Matches, at_shapes, judge_errors, misshapen, unusable
from enginewright.comparing.measure import Errors, absolute_errors, measure
from enginewright.comparing.runs import run_graphs
from enginewright.config.sections import CompareConfig
from enginewright.contract import Contract
from enginewright.contract.shapes import label
from enginewright.errors import CompareError
from enginewright.reference import Arrays, Reference
from enginewright.verdicts import Verdict, failed

_CURVE = np.linspace(0, 1, 21)


@dataclass
class AtShape:
    """What is known of one artifact at one shape, after some samples."""

    errors: dict[str, list[Errors]] = field(default_factory=dict)
    curves: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    missing: list[float] = field(default_factory=list)
    matches: Matches = field(default_factory=Matches)
    void: str | None = None

    def add(self, expected: Arrays, actual: Arrays, contract: Contract, radius: float) -> None:
        """Add one sample's outputs; after the first unusable one the comparison is void."""
        self.void = self.void or unusable(actual, contract) or misshapen(expected, actual, contract)
        if self.void:
            return
        both = align(expected, actual, contract, radius)
        self.missing.append(both.missing)
        for tensor in contract.outputs:
            first, second = both.expected[tensor.name], both.actual[tensor.name]
            if not first.size:  # no keypoint was paired: `missing` says so, unless neither result has any
                continue
            self.errors.setdefault(tensor.name, []).append(measure(tensor, first, second))
            if tensor.is_index:
                self.matches += Matches.between(first, second)
            else:
                quantiles = np.quantile(absolute_errors(first, second), _CURVE)
                self.curves.setdefault(tensor.name, []).append(quantiles)

    def verdict(self, artifact: str, config: CompareConfig) -> Verdict:
        """Return the artifact's verdict at this shape."""
        if self.void or not self.errors:
            return failed(f"{artifact}: {self.void or self._nothing()}")
        return judge_errors(artifact, self.totals(), max(self.missing), config, self.matches)

    def _nothing(self) -> str:
        return "no keypoint has a counterpart" if any(self.missing) else "there was nothing to compare"

    def totals(self) -> dict[str, Errors]:
        """Return the errors of each output over the samples of this shape."""
        return {name: Errors.of_samples(samples) for name, samples in self.errors.items()}


class Comparison:
    """What is known of one artifact at every shape that it was run at."""

    def __init__(self) -> None:
        self.shapes: dict[str, AtShape] = {}

    def add(self, expected: Arrays, actual: Arrays | CompareError, contract: Contract, radius: float) -> None:
        """Add one sample's outputs, or why there are none, at the sizes of `contract`."""
        shape = self.shapes.setdefault(label(contract), AtShape())
        if isinstance(actual, CompareError):
            shape.void = shape.void or actual.what
        else:
            shape.add(expected, actual, contract, radius)

    def verdict(self, artifact: str, config: CompareConfig) -> Verdict:
        """Return the artifact's verdict: that of the first shape where it fails, with the names of the others."""
        shapes = self.shapes or {"": AtShape()}
        return at_shapes({name: shape.verdict(artifact, config) for name, shape in shapes.items()})

    def totals(self) -> dict[str, Errors]:
        """Return the errors of each output at the shape where they are worst, number by number."""
        found: dict[str, list[Errors]] = {}
        for shape in self.shapes.values():
            for name, errors in shape.totals().items():
                found.setdefault(name, []).append(errors)
        return {name: Errors.worst(shapes) for name, shapes in found.items()}

    def metrics(self) -> dict[str, Any]:
        """Return `<output>.{max_abs,mean_abs,p99_abs,cosine}`, and `missing` where keypoints were aligned."""
        rows: dict[str, Any] = {name: asdict(errors) for name, errors in self.totals().items()}
        if "keypoints" in rows:
            rows["keypoints"]["missing"] = max(max(shape.missing, default=0.0) for shape in self.shapes.values())
        return rows

    def curve_rows(self, artifact: str) -> list[dict[str, Any]]:
        """Return the plot points: for each output the largest error over all samples at each quantile."""
        curves: dict[str, list[NDArray[np.float64]]] = {}
        for shape in self.shapes.values():
            for name, found in shape.curves.items():
                curves.setdefault(name, []).extend(found)
        return [
            {"series": f"{artifact} {name}", "quantile": round(float(q), 2), "error": float(value)}
            for name, found in curves.items()
            for q, value in zip(_CURVE, np.max(found, axis=0), strict=True)
        ]


def compare_graphs(
    graphs: Mapping[str, Path], reference: Reference, config: CompareConfig, provider: str
) -> dict[str, Comparison]:
    """Run all graphs on all samples of the reference, at every shape, and return a comparison for each artifact.

    Artifacts of the same bytes (a simplifier that kept the exported graph, fp32 that casts nothing) run once.
    """
    digests = {artifact: sha256_of(path) for artifact, path in graphs.items()}
    distinct = {digest: graphs[artifact] for artifact, digest in digests.items()}
    found = {digest: Comparison() for digest in distinct}
    runs = zip(run_graphs(distinct, reference, provider), reference.everywhere(), strict=True)
    for outcomes, (contract, _, expected) in runs:
        for digest, comparison in found.items():
            comparison.add(expected, outcomes[digest], contract, config.align_px)
    return {artifact: found[digest] for artifact, digest in digests.items()}
