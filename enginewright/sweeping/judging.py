"""What the error that ended a step makes of its variants: failed, refused, or not run for want of something."""

from __future__ import annotations

from enginewright.sweeping.jobs import Result
from enginewright.sweeping.ledger import kind_of
from enginewright.sweeping.results import State

_TOOLS_THAT_REFUSE = ("export", "preflight")
"""Stages whose GraphError says that exporter or builder do not take this graph at this opset: a combination."""

_REFUSED_LATER = "the builder cannot build"
"""How the error begins of a stage that lets go of what preflight had held back for it."""


def judged(stage: str, result: Result) -> tuple[State, str]:
    """Return the state of the variants whose stage ended so, and the reason in one line."""
    error = result.error or {}
    kind, what = str(error.get("kind")), str(error.get("what"))
    parts = [what, *(f"{name}: {error[name]}" for name in ("expected", "got", "cure") if error.get(name))]
    reason = " ".join(f"{stage}: {'; '.join(parts)}".split())
    if kind == "RequirementError":
        return State.not_run, reason
    refused_by_tool = kind_of(stage) in _TOOLS_THAT_REFUSE or what.startswith(_REFUSED_LATER)
    if kind in ("ConfigError", "NotAllowedError") or (kind == "GraphError" and refused_by_tool):
        return State.refused, reason
    return State.failed, reason
