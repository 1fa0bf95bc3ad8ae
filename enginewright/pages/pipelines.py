"""Pipelines of a run: a matcher with the extractor that feeds it, or a network that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from enginewright.pages.run import Run

Pipelines = Mapping[str, tuple[str, ...]]
"""The networks whose engines are needed, by the network that gives the result."""


def pipelines_of(run: Run) -> Pipelines:
    """Return the pipelines of a run: those that give matches, or else each network by itself."""
    matchers = run.params.get("matchers") or {}
    found = {name: _parts(name, entry) for name, entry in matchers.items() if name in run.metrics}
    if not found and not run.params:
        found = {name: (name,) for name, stages in run.metrics.items() if "match" in stages}
    return found or {name: (name,) for name in run.metrics}


def _parts(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the extractor and the matcher, or a merged graph alone: its `features` are its own."""
    return tuple(dict.fromkeys((str(entry.get("features") or name), name)))


def pipelines_among(runs: Iterable[Run]) -> Pipelines:
    """Return the pipelines of all runs of one sweep, so that a failed one is counted under its own."""
    found: dict[str, tuple[str, ...]] = {}
    for run in sorted(runs, key=lambda run: not run.params):
        if run.params or not found:
            found |= {name: parts for name, parts in pipelines_of(run).items() if name not in found}
    return found
