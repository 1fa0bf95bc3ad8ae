"""DVC's loop over the stages of a run, with those side by side that do not need one another."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import dvc.stage.run  # type: ignore[import-untyped]
from dvc.dvcfile import logger  # type: ignore[import-untyped]
from dvc.repo import reproduce  # type: ignore[import-untyped]
from dvc.stage import Stage
from dvc.stage.serialize import to_lockfile  # type: ignore[import-untyped]

from enginewright.artifacts import write_bytes
from enginewright.side_by_side.command import run_command
from enginewright.side_by_side.lock_text import with_entries
from enginewright.side_by_side.schedule import Schedule
from enginewright.side_by_side.turns import Turns


@dataclass(frozen=True)
class Rules:
    """What `dvc repro` was told; options: for each stage."""

    on_error: str
    force: bool
    force_downstream: bool
    options: Mapping[str, Any]


class _NotStarted(Exception):  # noqa: N818 - it is no error
    """A stage had its turn when nothing more may start."""


class Loop:
    """Runs stages, and writes what they did into the lock file in the order of `stages`.

    stages: in an order in which `dvc repro` could run them. graph: DVC's, whose edges lead to what a stage needs.
    """

    def __init__(self, stages: Sequence[Stage], graph: Any, jobs: int, rules: Rules) -> None:
        self._stages, self._graph, self._rules = stages, graph, rules
        self._forced = dict.fromkeys(stages, rules.force)
        self._schedule = Schedule(stages, {stage: [*graph.successors(stage)] for stage in stages}, jobs)
        self._turns = Turns(stages[0].repo)
        self._changed: dict[Stage, Stage | None] = {}
        self._failed: dict[Stage, BaseException] = {}
        self._written = 0
        self._interrupted = threading.Event()

    def run(self) -> list[Stage]:
        """Return the stages that ran.

        Raises:
            ReproductionError: if one failed.
            KeyboardInterrupt: if the user stopped it and no stage failed by that.
        """
        with self._commands_outside_turns(), self._interrupts_noted(), self._turns.given_away():
            self._schedule.run(self._reproduce, self._ended)
            self._write(len(self._stages))
        self._raise()
        return [stage for stage in self._stages if self._changed.get(stage)]

    def _reproduce(self, stage: Stage) -> None:
        upstream = [*self._graph.successors(stage)]
        with self._turns.taken():
            self._refuse_start()
            self._changed[stage] = stage.reproduce(upstream=upstream, force=self._forced[stage], **self._rules.options)

    def _refuse_start(self) -> None:
        """Start no command that waited for its turn while another failed, or the user stopped the run."""
        if self._interrupted.is_set() or (self._failed and self._rules.on_error == "fail"):
            raise _NotStarted

    def _ended(self, stage: Stage, error: BaseException | None) -> bool:
        """Take note of a stage that ended; return whether others may start."""
        if isinstance(error, _NotStarted):
            return False
        if error is not None:
            self._failed[stage] = error
            if self._rules.on_error == "fail" or not isinstance(error, Exception):
                return False
            self._schedule.drop(reproduce.handle_error(self._graph, self._rules.on_error, error, stage))
            return not self._interrupted.is_set()
        if self._rules.force_downstream and (self._changed[stage] or self._forced[stage]):
            self._forced.update(dict.fromkeys(self._graph.predecessors(stage), True))
        self._write(self._first_missing())
        return not self._interrupted.is_set()

    def _first_missing(self) -> int:
        """Return the place of the first stage that has not ended well."""
        places = (place for place, stage in enumerate(self._stages) if stage not in self._changed)
        return next(places, len(self._stages))

    def _write(self, end: int) -> None:
        """Put stages into the lock file, up to a place among all: in any order, files of two runs would differ."""
        changed = [stage for stage in self._stages[self._written : end] if self._changed.get(stage)]
        if changed:
            with self._turns.taken():
                _dump(changed)
        self._written = end

    def _raise(self) -> None:
        unexpected = next((error for error in self._failed.values() if not isinstance(error, Exception)), None)
        if unexpected:
            raise unexpected
        if self._failed and self._rules.on_error == "fail":
            stage, error = next(iter(self._failed.items()))
            reproduce._raise_error(error, stage)
        if self._failed and self._rules.on_error != "ignore":
            reproduce._raise_error(None, *self._failed)
        if self._interrupted.is_set():
            raise KeyboardInterrupt

    @contextmanager
    def _commands_outside_turns(self) -> Iterator[None]:
        usual = dvc.stage.run.unlocked_repo, dvc.stage.run._run
        dvc.stage.run.unlocked_repo = lambda command: self._turns.outside(command, self._refuse_start)
        dvc.stage.run._run = partial(run_command, self._interrupted)
        try:
            yield
        finally:
            dvc.stage.run.unlocked_repo, dvc.stage.run._run = usual

    @contextmanager
    def _interrupts_noted(self) -> Iterator[None]:
        """Start nothing more after Ctrl-C, which the running commands get from the terminal by themselves."""

        def note(_signal: int, _frame: FrameType | None) -> None:
            self._interrupted.set()

        usual = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)


def _dump(stages: Sequence[Stage]) -> None:
    """Write the entries of stages into their lock files, each of which is read and written once."""
    files: dict[str, list[Stage]] = {}
    for stage in stages:
        files.setdefault(stage.path, []).append(stage)
    for together in files.values():
        file = together[0].dvcfile
        if not _put(file._lockfile, together):
            file.dump_stages(together, update_pipeline=False)


def _put(file: Any, stages: Sequence[Stage]) -> bool:
    """Put entries into the text of a lock file; return whether it is one that this can be done to."""
    path = Path(file.path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return False
    changed = with_entries(text, {name: entry for stage in stages for name, entry in to_lockfile(stage).items()})
    if changed is None:
        return False
    if changed != text:
        logger.info("Updating lock file '%s'", file.relpath)
        write_bytes(path, changed.encode())
        file.repo.scm_context.track_file(file.relpath)
    return True
