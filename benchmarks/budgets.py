"""What each ratio may be at most: budgets hold on any machine, seconds do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

BUDGETS = {
    "cold.ratio.pipeline": 1.15,
    "unchanged.ratio.pipeline": 1.4,
    "unchanged.ratio.dvc_repro": 1.4,
    "opset.ratio.pipeline": 1.1,
    "olive_cold.ratio.pipeline": 0.5,
    "olive_unchanged.ratio.pipeline": 0.1,
    "variants.ratio.one_worker": 1.1,
    "variants.ratio.memory_to_6_gb": 1.0,
    "variants_whole.ratio.one_worker": 1.1,
    "variants_whole.ratio.memory_to_6_gb": 1.0,
    "olive_cold.ratio.memory_to_6_gb": 1.0,
}
"""By the key of results.json. A peer's budget is the pipeline's time divided by the peer's: 0.5 is twice as fast."""

NOISE = 1.1
"""How much more than the best that was ever measured a ratio may be before it counts as worse."""


def ratios(results: Mapping[str, Any]) -> dict[str, float]:
    """Return every ratio of results.json by its dotted key."""
    return dict(_leaves(results, ""))


def _leaves(value: Mapping[str, Any], key: str) -> Iterator[tuple[str, float]]:
    for name, child in value.items():
        path = f"{key}.{name}" if key else name
        if isinstance(child, Mapping):
            yield from _leaves(child, path)
        elif ".ratio." in path and isinstance(child, int | float):
            yield path, float(child)
