"""What preflight's child process is told and what it answers: files by fixed names in the folder it works in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json, write_json
from enginewright.config.choices import Precision, Rest, Simplifier
from enginewright.config.models import ModelConfig, OnnxModel
from enginewright.config.sections import BuildConfig, CastConfig, SimplifyConfig
from enginewright.contract.shapes import ends, tied_sizes
from enginewright.engine.job import build_from_json, build_to_json
from enginewright.preflight.report import Blocker, Counts, Pending

GRAPH, TASK, STEP, ANSWER = "graph.onnx", "task.json", "step", "answer.json"

WHOLE, TOGETHER = -1, -2
"""Steps beside those that are the numbers of nodes: the whole graph, and all distinct nodes in one build."""


@dataclass(frozen=True)
class Options:
    """How a graph will be built, as far as preflight needs to know.

    ranges: `model.ranges`. sizes: of dynamic axes by name, the best size of their profile; the range's end where there
    is none. simplified: a simplifier follows, which computes constant results away. half: the graph
    becomes fp16, or what is not quantised does. file: the graph came as an ONNX file, which no export option changes.
    """

    build: BuildConfig = field(default_factory=BuildConfig)
    ranges: Mapping[str, Sequence[int]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    simplified: bool = False
    half: bool = False
    file: bool = False

    @property
    def best(self) -> dict[str, int]:
        """Return the size of every dynamic axis that the engine is tuned for, axes tied to others among them."""
        return _with_tied({axis: self._best(axis) for axis in self.ranges})

    @property
    def corners(self) -> list[dict[str, int]]:
        """Return every combination of the ends of the ranges: the sizes of all dynamic axes."""
        return [_with_tied(sizes) for sizes in ends(self.ranges)] if self.ranges else []

    def _best(self, axis: str) -> int:
        low, high = self.ranges[axis]
        size = self.sizes.get(axis, high)
        return size if low <= size <= high else high

    @staticmethod
    def of(model: ModelConfig, simplify: SimplifyConfig, cast: CastConfig, build: BuildConfig) -> Options:
        """Return the options that the sections of a network come to."""
        sizes = {axis: size for axis in model.ranges if isinstance(size := getattr(model, axis, None), int)}
        return Options(
            build=build,
            ranges=model.ranges,
            sizes=sizes,
            simplified=simplify.tool is not Simplifier.none,
            half=cast.precision is Precision.fp16 or cast.rest is Rest.fp16,
            file=isinstance(model, OnnxModel),
        )


def _with_tied(sizes: Mapping[str, int]) -> dict[str, int]:
    return dict(sizes) | tied_sizes(sizes)


@dataclass(frozen=True)
class Task:
    """One run of the child. fatal: the steps that killed an earlier run, by what: they are not tried again."""

    options: Options
    fatal: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What one run found. pending: see `enginewright.preflight.report.Report`."""

    blockers: tuple[Blocker, ...]
    notes: tuple[str, ...]
    counts: Counts
    pending: Pending = field(default_factory=dict)


def write_task(folder: Path, task: Task) -> None:
    """Write the task into the folder of the child."""
    options = vars(task.options) | {
        "build": build_to_json(task.options.build),
        "sizes": dict(task.options.sizes),
        "ranges": {axis: list(pair) for axis, pair in task.options.ranges.items()},
    }
    fatal = {str(step): cause for step, cause in task.fatal.items()}
    write_json(folder / TASK, {"options": options, "fatal": fatal})


def read_task(folder: Path) -> Task:
    """Return the task that `write_task` wrote."""
    raw = read_json(folder / TASK)
    options = Options(**(raw["options"] | {"build": build_from_json(raw["options"]["build"])}))
    return Task(options, {int(step): cause for step, cause in raw["fatal"].items()})


def write_answer(folder: Path, answer: Answer) -> None:
    """Write what a run found."""
    write_json(folder / ANSWER, asdict(answer))


def write_missing(folder: Path, requirement: str) -> None:
    """Write what this machine lacks to ask the builder anything."""
    write_json(folder / ANSWER, {"missing": requirement})


def read_answer(folder: Path) -> Answer | str:
    """Return what a run found, or what this machine lacks."""
    raw = read_json(folder / ANSWER)
    if "missing" in raw:
        return str(raw["missing"])
    pending = {condition: _blockers(rows) for condition, rows in raw["pending"].items()}
    return Answer(_blockers(raw["blockers"]), tuple(raw["notes"]), Counts(**raw["counts"]), pending)


def _blockers(rows: Sequence[Mapping[str, Any]]) -> tuple[Blocker, ...]:
    return tuple(Blocker(**{**row, "nodes": tuple(row["nodes"])}) for row in rows)
