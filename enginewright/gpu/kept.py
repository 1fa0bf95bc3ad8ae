"""How many of the original's matches a matcher's graph keeps on the reference, in ONNX Runtime."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from enginewright.gpu.session import Session
from enginewright.reference import Arrays, Reference


@dataclass
class Kept:
    """Counts over samples.

    original, found, common: matches of the original, of the graph, and those of the original that the graph has too.
    mscores_max_abs: the largest error of a confidence.
    """

    original: int = 0
    found: int = 0
    common: int = 0
    mscores_max_abs: float = 0.0

    def add(self, expected: Arrays, actual: Arrays) -> None:
        """Add a sample's outputs: the original's and the graph's."""
        wanted, got = expected["matches"], actual["matches"]
        self.original += int((wanted >= 0).sum())
        self.found += int((got >= 0).sum())
        self.common += int(((wanted == got) & (wanted >= 0)).sum())
        self.mscores_max_abs = max(self.mscores_max_abs, _largest(actual["mscores"] - expected["mscores"]))

    @property
    def ratio(self) -> float:
        """The share of the original's matches that the graph has too; 0 where the original has none."""
        return self.common / self.original if self.original else 0.0


def kept_matches(session: Session, reference: Reference) -> dict[str, Any]:
    """Return the fields of `Kept` over the reference's samples.

    Raises:
        GraphError: if ONNX Runtime does not run the graph.
    """
    kept = Kept()
    for _, inputs, expected in reference.samples():
        kept.add(expected, session.run(inputs))
    return asdict(kept)


def _largest(difference: Any) -> float:
    """Return the largest magnitude; NaN where a value is."""
    return float(np.abs(difference.astype(np.float64)).max())
