"""The distinct steps of all variants, and which variants share them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enginewright.sweeping.jobs import Task
from enginewright.sweeping.outline import Outline, StageOutline


@dataclass
class Step:
    """A stage with all that its result depends on, known by its key.

    needs: keys of the steps whose outputs it reads, in the order of `outline.needs`. variants: names of those that
    have it. outline, variant: of the first that has it, whose parameters it runs under.
    """

    key: str
    outline: StageOutline
    needs: tuple[str, ...]
    variant: str
    variants: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """Steps by key, each after those that it needs; for each variant its outline and the keys of its stages by name."""

    steps: Mapping[str, Step]
    outlines: Mapping[str, Outline]
    keys: Mapping[str, Mapping[str, str]]

    def task(self, step: Step, entries: Mapping[str, Mapping[str, Any]]) -> Task:
        """Return what a worker is asked to do for a step.

        entries: of dvc.lock by key, of all steps that it needs but those that travel with it.
        """
        outline = self.outlines[step.variant]
        return Task(
            key=step.key,
            stage=step.outline.name,
            params=outline.params,
            lock={name: entries.get(key) for name, key in zip(step.outline.needs, step.needs, strict=True)},
            inputs=step.outline.inputs,
            outs=tuple(out for stage in outline.stages for out in stage.outs),
            ignored=outline.ignored,
        )


def plan_of(outlines: Mapping[str, Outline], probe: Mapping[str, Any]) -> Plan:
    """Return the plan of the variants that compose, by name.

    probe: what the workers' machine has, by the name of the probe's file without its ending; it is part of the keys,
    so that what one kind of machine said of itself is never taken for another's.
    """
    steps: dict[str, Step] = {}
    keys: dict[str, dict[str, str]] = {}
    for name, outline in outlines.items():
        own = keys.setdefault(name, {})
        for stage in outline.stages:
            needs = tuple(own[need] for need in stage.needs)
            key = own[stage.name] = _key(stage, needs, probe)
            steps.setdefault(key, Step(key, stage, needs, name)).variants.append(name)
    return Plan(steps, outlines, keys)


def _key(stage: StageOutline, needs: Sequence[str], probe: Mapping[str, Any]) -> str:
    facts = {name: probe.get(name.removesuffix(".json")) for name in stage.probes}
    parts = [stage.name, stage.own, stage.inputs, list(needs), facts]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
