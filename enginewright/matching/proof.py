"""An artifact's proof: its chain is run on the pairs, compared with the original and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from enginewright.config.sections import MatchConfig
from enginewright.errors import BuildError, EnginewrightError, GraphError, RequirementError
from enginewright.images import Pair
from enginewright.matching.features import Matched
from enginewright.matching.judge import judge
from enginewright.matching.measure import as_metrics, compare, quality, together
from enginewright.verdicts import Verdict, failed, not_run


@dataclass(frozen=True, eq=False)
class Task:
    """What every artifact is measured on.

    original: the original network's matches, one for each pair. shape: (channels, height, width) of the extractor's
    images. threshold: of the confidence, for matchers that return scores. limits: what may be lost.
    """

    pairs: Sequence[Pair]
    original: Sequence[Matched]
    shape: tuple[int, int, int]
    threshold: float
    limits: MatchConfig

    def original_metrics(self) -> dict[str, Any]:
        """Return what can be said of the original's matches by themselves."""
        pairs = list(zip(self.pairs, self.original, strict=True))
        confidence = np.concatenate([found.confidence for _, found in pairs])
        errors = np.concatenate([pair.truth.errors(found.points0, found.points1) for pair, found in pairs])
        return {"matches": len(confidence), **quality(confidence, errors)}


@dataclass(frozen=True, eq=False)
class Outcome:
    """An artifact's verdict, its metrics, and its matches, one for each pair; none if it did not run."""

    verdict: Verdict
    metrics: dict[str, Any]
    matched: Sequence[Matched] = ()

    def as_metrics(self) -> dict[str, Any]:
        """Return the artifact's entry of match.json."""
        return {**self.metrics, **self.verdict.as_metrics()}


def prove(task: Task, chain: Callable[[], Sequence[Matched]]) -> Outcome:
    """Return the outcome of running `chain`, which returns an artifact's matches, one for each pair.

    A chain that lacks hardware gives `not_run`, one whose graph or engine does not work gives `failed`.

    Raises:
        RequirementError: where hardware is missing and `REQUIRE_GPU=1` forbids `not_run`.
    """
    try:
        matched = chain()
    except RequirementError as missing:
        return Outcome(not_run(_reason(missing)), {})
    except (GraphError, BuildError) as broken:
        return Outcome(failed(_reason(broken)), {})
    comparison = together([compare(*row) for row in zip(task.pairs, task.original, matched, strict=True)])
    return Outcome(judge(comparison, task.limits), as_metrics(comparison), matched)


def _reason(error: EnginewrightError) -> str:
    return error.what if error.got is None else f"{error.what}: {error.got}"
