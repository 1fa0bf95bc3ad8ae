"""What the next `dvc repro` would do, stage by stage, without running any.

A stage that runs may write anything, so what comes after it is not known. A stage that DVC restores from its cache
writes what is known already, and so what comes after that one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc.dependency import ParamsDependency  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.stage import PipelineStage  # type: ignore[import-untyped]

from enginewright.explaining.changes import Case, Change, Kind, Outcome
from enginewright.explaining.commands import command_change
from enginewright.explaining.contents import Contents, dependency_changes
from enginewright.explaining.expected import Expected
from enginewright.explaining.history import History
from enginewright.explaining.locked import Record
from enginewright.explaining.outputs import LOST, output_changes
from enginewright.explaining.places import Cache, WorkingTree
from enginewright.explaining.run_cache import restorable
from enginewright.explaining.values import parameter_changes
from enginewright.lineage.order import in_order
from enginewright.lineage.paths import overlap


@dataclass(frozen=True)
class _Found:
    """How a dependency differs: by itself, by what earlier stages restore, or perhaps by what they will write."""

    changes: tuple[Change, ...] = ()
    restored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Foresight:
    """Goes through the stages in the order in which DVC runs them.

    records: what dvc.lock holds of them. foreseen: the probe's files as it will write them, by path.
    """

    def __init__(self, repo: Repo, records: Mapping[str, Record], foreseen: Mapping[str, bytes] | None = None) -> None:
        tree = WorkingTree(repo, foreseen)
        self._records, self._cache = records, Cache(repo)
        self._contents = Contents(tree, self._cache, History(Path(repo.root_dir)))
        self._expected = Expected(tree, self._cache)
        self._stages = _in_order(repo)
        self._cases: dict[str, Case] = {}

    def cases(self) -> dict[str, Case]:
        """Return the case of each stage that would not stay as it is; one that always runs is none."""
        for stage in (stage for stage in self._stages if not stage.always_changed):
            record = self._records.get(stage.name)
            case = self._case(stage, record) if record else self._first(stage)
            if case is not None:
                self._cases[stage.addressing] = case
        return self._cases

    def _first(self, stage: PipelineStage) -> Case:
        unknown = tuple(dict.fromkeys(name for path in _files(stage) for name in self._open(path)))
        outcome = Outcome.runs if unknown else self._restore(stage)
        return Case(stage.addressing, outcome, (Change(Kind.new, "never run"),), unknown)

    def _case(self, stage: PipelineStage, record: Record) -> Case | None:
        found = [self._found(path, record) for path in _files(stage)]
        changes = (
            *command_change(stage.addressing, record.cmd, stage.cmd),
            *_parameter_changes(stage, record),
            *(change for item in found for change in item.changes),
        )
        restored = tuple(dict.fromkeys(name for item in found for name in item.restored))
        unknown = tuple(dict.fromkeys(name for item in found for name in item.unknown))
        if unknown:
            changes = changes or self._lost(stage)
            outcome = Outcome.runs if changes or restored else Outcome.follows
            return Case(stage.addressing, outcome, changes, (*restored, *unknown))
        if changes or restored:
            return Case(stage.addressing, self._restore(stage), changes, restored)
        outputs = tuple(output_changes(stage, self._cache))
        return Case(stage.addressing, self._restore_recorded(stage, record), outputs) if outputs else None

    def _lost(self, stage: PipelineStage) -> tuple[Change, ...]:
        """Return the outputs that the cache cannot give back: for them a stage runs even on the same inputs."""
        return tuple(change for change in output_changes(stage, self._cache) if LOST in change.how)

    def _found(self, path: str, record: Record) -> _Found:
        if unknown := self._open(path):
            return _Found(unknown=tuple(unknown))
        old, new = record.deps.get(path), self._expected.hash(path)
        if old == new:
            return _Found()
        restored = tuple(name for name in self._before(path) if self._expected.rewritten(name, path))
        if restored:
            return _Found(restored=restored)
        return _Found(tuple(dependency_changes(path, old, new, self._contents)))

    def _before(self, path: str) -> Iterator[str]:
        """Yield the stages with a case that write `path`, something in it, or what it lies in."""
        for stage in self._stages:
            if stage.addressing in self._cases and any(overlap(out.def_path, path) for out in stage.outs):
                yield stage.addressing

    def _open(self, path: str) -> list[str]:
        return [name for name in self._before(path) if self._cases[name].outcome is not Outcome.restored]

    def _restore(self, stage: PipelineStage) -> Outcome:
        """Return whether the stage runs, or DVC has kept what it wrote for these very inputs."""
        hashes = {path: self._expected.hash(path) for path in _files(stage)}
        known = {path: found for path, found in hashes.items() if found is not None}
        outs = restorable(stage, known, self._cache) if len(known) == len(hashes) else None
        return self._note(stage, outs)

    def _restore_recorded(self, stage: PipelineStage, record: Record) -> Outcome:
        """Return whether outputs that are gone or edited come back from the cache."""
        whole = all(out.def_path in record.outs for out in stage.outs)
        return self._note(stage, record.outs if whole and all(map(self._cache.has, record.outs.values())) else None)

    def _note(self, stage: PipelineStage, outs: Mapping[str, str] | None) -> Outcome:
        if outs is None:
            return Outcome.runs
        self._expected.restore(stage.addressing, outs)
        return Outcome.restored


def _parameter_changes(stage: PipelineStage, record: Record) -> Iterator[Change]:
    for dep in (dep for dep in stage.deps if isinstance(dep, ParamsDependency)):
        recorded = {key: record.params[key] for key in dep.params if key in record.params}
        yield from parameter_changes(recorded, dep.read_params())


def _files(stage: PipelineStage) -> list[str]:
    return [dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)]


def _in_order(repo: Repo) -> list[PipelineStage]:
    """Return the stages, each after those that it depends on, otherwise as dvc.yaml has them."""
    stages = {stage.addressing: stage for stage in repo.index.stages}
    graph = repo.index.graph
    order = in_order({name: [other.addressing for other in graph.successors(stage)] for name, stage in stages.items()})
    return [stages[name] for name in order]
