"""A worker's clone, and one step in it: inputs in, the stage through DVC, outputs into cache or remote."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dvc.config import Config  # type: ignore[import-untyped]
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.stage import run as dvc_run  # type: ignore[import-untyped]
from dvc.stage.serialize import to_single_stage_lockfile  # type: ignore[import-untyped]

from enginewright.errors import ERROR_FILE
from enginewright.sweeping.code import hash_code_once
from enginewright.sweeping.git import Git
from enginewright.sweeping.jobs import Result, Task
from enginewright.sweeping.memory import Peak
from enginewright.sweeping.pipeline import Pipeline, sent, text_of

_LOG_CHARACTERS = 6000
_TRIES = 2
"""Two workers that share a cache and store the same file at once can disturb each other, once."""


class Bench:
    """Runs steps in the clone at `root`, the current folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._repo = Repo(str(root), config={"core": {"no_scm": True}})  # the clone is thrown away: git ignores nothing
        self._remote = "remote" in Config.load_file(root / ".dvc" / "config.local").get("core", {})
        self._text = text_of(self._repo)
        self._outs: set[str] = set()
        self._clock = _CommandClock()
        hash_code_once(Git(root), lambda: self._outs)

    def run(self, task: Task) -> Result:
        """Run one step, or restore it from DVC's run cache; an error of any kind becomes a result."""
        start, log, error_file = time.monotonic(), Path(".cache/step.log"), Path(".cache/error.json").absolute()
        error_file.unlink(missing_ok=True)
        self._clock.reset()
        with Peak() as peak, _printed_to(log), _variable(ERROR_FILE, str(error_file)):
            found = self._tried(task)
        result = Result(None, self._clock.ran, self._clock.seconds, time.monotonic() - start, peak.mb)
        if not isinstance(found, Exception):
            return replace(result, entry=found)
        said = log.read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:]
        return replace(result, error=_error_of(error_file, found), log=said, left=self._left(task))

    def close(self) -> None:
        """Send the run cache to the remote, so that `dvc exp run` finds these steps anywhere."""
        if self._remote:
            self._repo.stage_cache.push(None)
        self._repo.close()

    def _tried(self, task: Task) -> Mapping[str, Any] | Exception:
        """Return the step's entry of dvc.lock, or what ended it."""
        for attempt in range(_TRIES):
            try:
                self._lay_out(task)
                with self._repo.lock:
                    return self._entry(task)
            except (DvcException, OSError) as error:
                if self._clock.failed or attempt == _TRIES - 1:
                    return error
                print(f"once more, after: {error}")
        raise AssertionError

    def _lay_out(self, task: Task) -> None:
        """Give the clone the variant's parameters, and take away what only other variants have."""
        for name in self._outs - set(task.outs):
            _remove(Path(name))
        self._outs = set(task.outs)
        for name, text in task.ignored.items():
            _write(Path(name), text)
        _write(Path("params.yaml"), task.params)

    def _entry(self, task: Task) -> Mapping[str, Any]:
        """Run the stage on its inputs as `dvc repro` does, and return its entry of dvc.lock."""
        pipeline = Pipeline(self._repo, self._text, task.lock)
        pipeline.check_out(task.inputs, self._remote)
        stage = pipeline.stage(task.stage)
        stage.reproduce()
        if self._remote:
            sent(self._repo, stage)
        entry: Mapping[str, Any] = json.loads(json.dumps(to_single_stage_lockfile(stage)))
        return entry

    def _left(self, task: Task) -> dict[str, str]:
        """Return the metric files that the failed stage wrote before it stopped: DVC removes outputs before it runs."""
        stage = Pipeline(self._repo, self._text, {}).stage(task.stage)
        paths = [Path(out.def_path) for out in stage.outs if out.metric]
        return {str(path): path.read_text(encoding="utf-8") for path in paths if path.is_file()}


class _CommandClock:
    """Measures the commands that DVC runs: what a step takes by itself, without DVC around it."""

    def __init__(self) -> None:
        self.reset()
        command = dvc_run._run

        def timed(*words: Any, **named: Any) -> None:
            self.ran, self.failed, start = True, True, time.monotonic()
            try:
                command(*words, **named)
                self.failed = False
            finally:
                self.seconds += time.monotonic() - start

        dvc_run._run = timed

    def reset(self) -> None:
        """Start anew for the next step."""
        self.ran, self.failed, self.seconds = False, False, 0.0


def _error_of(path: Path, failure: Exception) -> Mapping[str, Any]:
    """Return the stage's own error, or else DVC's: the innermost of its chain says the most."""
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    cause: BaseException = failure
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return {"kind": type(cause).__name__, "what": str(cause) or type(cause).__name__}


def _write(path: Path, text: str) -> None:
    """Write a file unless it holds that text: DVC then need not read it again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _printed_to(path: Path) -> Iterator[None]:
    """Send standard output and error, those of stages too, to a file that starts empty."""
    kept = [os.dup(number) for number in (1, 2)]
    with path.open("w") as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
    try:
        yield
    finally:
        for number, old in enumerate(kept, start=1):
            os.dup2(old, number)
            os.close(old)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
