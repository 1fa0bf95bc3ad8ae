"""How many of the original's matches a matcher's graph keeps on the reference, in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from enginewright.gpu.session import Session
from enginewright.reference import Reference


def kept_matches(graph: Path, reference: Reference, provider: str, tf32: bool = False) -> dict[str, Any]:
    """Return counts of matches over the reference's samples, and the largest error of a confidence.

    original, found, common: matches of the original, of the graph, and those of the original that the graph has too.

    Raises:
        GraphError: if ONNX Runtime does not run the graph.
        RequirementError: if the provider cannot start here.
    """
    session = Session(graph, provider, tf32)
    original = found = common = 0
    error = 0.0
    for _, inputs, expected in reference.samples():
        actual = session.run(inputs)
        wanted, got = expected["matches"], actual["matches"]
        original += int((wanted >= 0).sum())
        found += int((got >= 0).sum())
        common += int(((wanted == got) & (wanted >= 0)).sum())
        error = max(error, _largest(actual["mscores"] - expected["mscores"]))
    return {"original": original, "found": found, "common": common, "mscores_max_abs": error}


def _largest(difference: Any) -> float:
    """Return the largest magnitude; NaN where a value is."""
    return float(np.abs(difference.astype(np.float64)).max())
