"""What is wrong with the outputs of a stage whose inputs are what they were."""

from __future__ import annotations

from dvc.stage import PipelineStage  # type: ignore[import-untyped]

from enginewright.explaining.changes import Change, Kind
from enginewright.explaining.places import Cache

_WORDS = {"deleted": "missing", "modified": "edited by hand", "new": "unknown to dvc.lock"}

LOST = "not in the cache"
"""What is said of an output that only a run, or make pull, can bring back."""


def output_changes(stage: PipelineStage, cache: Cache) -> list[Change]:
    """Return a change for each output that is not as dvc.lock has it, or that the cache does not have."""
    return [
        Change(Kind.output, out.def_path, words) for out in stage.outs if out.status() and (words := _words(out, cache))
    ]


def _words(out: object, cache: Cache) -> str:
    here = next(iter(out.workspace_status().values()), "")  # type: ignore[attr-defined]
    recorded = out.hash_info.value  # type: ignore[attr-defined]
    lost = bool(recorded) and out.use_cache and not cache.has(recorded)  # type: ignore[attr-defined]
    return ", ".join(filter(None, (_WORDS.get(here, here), LOST * lost)))
