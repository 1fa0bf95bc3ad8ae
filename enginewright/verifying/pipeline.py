"""The stages of dvc.yaml for the networks of params.yaml, without DVC, whose import takes longer than the hashing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.config.yaml_text import load_yaml
from enginewright.stage.commands import filled


@dataclass(frozen=True)
class Step:
    """One stage for one network; `network` is empty where it covers them all."""

    name: str
    network: str
    cmd: str
    params: tuple[str, ...]
    deps: tuple[str, ...]
    outs: tuple[str, ...]


def steps_of(pipeline: Path, params: Mapping[str, Any]) -> dict[str, Step]:
    """Return the stages of the file `pipeline` by the names that DVC gives them."""
    stages: Mapping[str, Any] = load_yaml(pipeline.read_text(encoding="utf-8"))["stages"]
    return {step.name: step for name, stage in stages.items() for step in _steps(name, stage, params)}


def _steps(name: str, stage: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Step]:
    if "foreach" not in stage:
        yield _step(name, "", {}, stage)
        return
    for network, item in params[stage["foreach"].strip("${}")].items():
        yield _step(f"{name}@{network}", network, item, stage["do"])


def _step(name: str, network: str, item: Mapping[str, Any], stage: Mapping[str, Any]) -> Step:
    def named(*kinds: str) -> tuple[str, ...]:
        texts = (text for kind in kinds for text in stage.get(kind, ()))
        return tuple(
            dict.fromkeys(filled(next(iter(text)) if isinstance(text, dict) else text, network, item) for text in texts)
        )

    outs = named("outs", "metrics", "plots")
    return Step(name, network, filled(stage["cmd"], network, item), named("params"), named("deps"), outs)
