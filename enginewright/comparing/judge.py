"""Turns errors into verdicts, against the tolerances of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.comparing.measure import Errors
from enginewright.config.sections import CompareConfig
from enginewright.contract import Contract
from enginewright.reference import Arrays
from enginewright.verdicts import PASSED, State, Verdict, failed


@dataclass(frozen=True)
class Matches:
    """Indices of partners (or -1) in two results: how many the original has, and how many of these the artifact has."""

    original: int = 0
    kept: int = 0

    @staticmethod
    def between(expected: NDArray[Any], actual: NDArray[Any]) -> Matches:
        """Return the counts of two arrays of indices of one shape."""
        there = expected >= 0
        return Matches(int(there.sum()), int((there & (expected == actual)).sum()))

    def __add__(self, other: Matches) -> Matches:
        return Matches(self.original + other.original, self.kept + other.kept)

    def breach(self, least: float) -> str | None:
        """Return that too small a share is kept, in words, or None; of few indices a part of one is not asked."""
        if self.kept >= floor(least * self.original):
            return None
        share = self.kept / self.original
        return f"{self.kept} of {self.original} indices kept, a share of {share:.4f} where {least:g} is asked"


NO_MATCHES = Matches()


def unusable(outputs: Arrays, contract: Contract) -> str | None:
    """Return why a comparison of `outputs` would be void: one missing, empty, of another type, or with NaN or Inf."""
    for tensor in contract.outputs:
        found = outputs.get(tensor.name)
        if found is None:
            return f"the output {tensor.name} is missing"
        if found.size == 0:
            return f"the output {tensor.name} is empty"
        if found.dtype != np.dtype(tensor.dtype):
            return f"the output {tensor.name} is {found.dtype}, not {tensor.dtype}"
        if np.issubdtype(found.dtype, np.floating) and not np.isfinite(found).all():
            return f"the output {tensor.name} has {int((~np.isfinite(found)).sum())} NaN or Inf of {found.size}"
    return None


def misshapen(expected: Arrays, actual: Arrays, contract: Contract) -> str | None:
    """Return which output of `actual` has another shape than the reference's."""
    for tensor in contract.outputs:
        wanted, found = expected[tensor.name].shape, actual[tensor.name].shape
        if wanted != found:
            return f"the output {tensor.name} has shape {found}, the reference {wanted}"
    return None


def judge_errors(
    artifact: str, errors: Mapping[str, Errors], missing: float, config: CompareConfig, matches: Matches = NO_MATCHES
) -> Verdict:
    """Return the verdict of one artifact: failed with every breach named, or passed."""
    breaches = [
        breach for name, found in errors.items() for breach in _breaches(f"{artifact}.{name}", name, found, config)
    ]
    if lost := matches.breach(config.matcher_ratio):
        breaches.append(f"{artifact}: {lost}")
    if missing > config.missing:
        breaches.append(f"{artifact}: {missing:.2%} of keypoints have no counterpart, more than {config.missing:.2%}")
    return failed("; ".join(breaches)) if breaches else PASSED


def at_shapes(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return one verdict of those at each shape, by its name: failed with the first failure's reason, or passed.

    The reason names the shape, if it has a name, and every other at which the artifact fails.
    """
    breached = {name: verdict.reason for name, verdict in verdicts.items() if verdict.state is not State.passed}
    if not breached:
        return PASSED
    (first, reason), *others = breached.items()
    where = f", at {first}" if first else ""
    also = f"; it fails too at {' and at '.join(name for name, _ in others)}" if others else ""
    return failed(f"{reason}{where}{also}")


def _breaches(where: str, output: str, errors: Errors, config: CompareConfig) -> list[str]:
    scale = config.outputs.get(output, config.max_abs) / config.max_abs
    limits = {name: scale * getattr(config, name) for name in ("max_abs", "mean_abs", "p99_abs")}
    rows = [(name, getattr(errors, name), limit) for name, limit in limits.items()]
    found = [f"{where}.{name} is {value:.3g}, more than {limit:g}" for name, value, limit in rows if not value <= limit]
    if not errors.cosine >= config.cosine:
        found.append(f"{where}.cosine is {errors.cosine:.7f}, less than {config.cosine:g}")
    return found
