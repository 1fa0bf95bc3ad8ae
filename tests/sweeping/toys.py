"""Plans of a few steps, for what needs no pipeline: two variants that share `first`, each with a `last` of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enginewright.sweeping.outline import Outline, StageOutline
from enginewright.sweeping.plan import Plan, plan_of

PROBE: Mapping[str, Any] = {"tool": {"version": "1"}}


def stage(name: str, own: str, *needs: str) -> StageOutline:
    """Return a stage that writes one file and reads those of the stages that it needs."""
    inputs = tuple(f"out/{need}" for need in needs)
    return StageOutline(name, own, ("tool.json",), needs, inputs, (f"out/{name}",), (f"out/{name}",))


def outline(*stages: StageOutline) -> Outline:
    """Return a variant of these stages."""
    return Outline(params="networks: {}\n", stages=stages, size="small")


def outlines() -> dict[str, Outline]:
    """Return two variants."""
    return {name: outline(stage("first@a", "same"), stage("last@a", name, "first@a")) for name in ("x", "y")}


def plan() -> Plan:
    """Return the plan of both variants."""
    return plan_of(outlines(), PROBE)


def entry(name: str) -> dict[str, Any]:
    """Return an entry of dvc.lock of a stage."""
    return {"cmd": name, "outs": [{"path": f"out/{name}", "hash": "md5", "md5": "0" * 32, "size": 3}]}
