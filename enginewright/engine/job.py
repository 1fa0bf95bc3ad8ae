"""What the building process is told and what it answers: JSON files, by fixed names in the folder it works in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from enginewright import errors
from enginewright.artifacts import read_json, write_json
from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.bindings import Binding
from enginewright.errors import EnginewrightError

GRAPH = "graph.onnx"
JOB = "job.json"
ENGINE = "engine.plan"
RESULT = "result.json"
LOG = "builder.log"
TIMING_CACHE = "timing.cache"


@dataclass(frozen=True)
class Job:
    """One build: its options, the ranges of dynamic axes, and the inputs and outputs that the graph must have.

    inputs, outputs: of the contract, with the shapes of the reference. ranges: `model.ranges`.
    """

    build: BuildConfig
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    ranges: Mapping[str, Sequence[int]]


def build_to_json(build: BuildConfig) -> dict[str, Any]:
    """Return the options of a build as JSON takes them."""
    return vars(build) | {"builder": build.builder.value}


def build_from_json(raw: Mapping[str, Any]) -> BuildConfig:
    """Return the options that `build_to_json` gave."""
    return BuildConfig(**{**raw, "builder": Builder(raw["builder"])})


def write_job(folder: Path, job: Job) -> None:
    """Write the job into the folder of the building process."""
    write_json(folder / JOB, asdict(job) | {"build": build_to_json(job.build)})


def read_job(folder: Path) -> Job:
    """Return the job that `write_job` wrote."""
    raw = read_json(folder / JOB)
    return Job(
        build=build_from_json(raw["build"]),
        inputs=tuple(Binding.from_json(binding) for binding in raw["inputs"]),
        outputs=tuple(Binding.from_json(binding) for binding in raw["outputs"]),
        ranges=raw["ranges"],
    )


def write_error(folder: Path, error: EnginewrightError) -> None:
    """Write an error as the result."""
    parts = {"what": error.what, "expected": error.expected, "got": error.got, "cure": error.cure}
    texts = {name: None if part is None else str(part) for name, part in parts.items()}
    write_json(folder / RESULT, {"error": {"class": type(error).__name__} | texts})


def read_result(folder: Path) -> dict[str, Any]:
    """Return the result of the building process.

    Raises:
        EnginewrightError: the one that the building process met, of its own class.
    """
    result = read_json(folder / RESULT)
    if (error := result.get("error")) is not None:
        cls = getattr(errors, error.pop("class"))
        raise cls(error.pop("what"), **error)
    return result
