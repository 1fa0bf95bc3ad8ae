"""Whether a graph will become an engine: asked in a child process, and again without the step that killed it."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.artifacts import write_bytes
from enginewright.config.choices import Builder
from enginewright.engine.child import ERRORS, child_environment, last_words
from enginewright.engine.gpu import find_gpu
from enginewright.errors import BuildError
from enginewright.graphs.files import graph_bytes
from enginewright.preflight.report import Counts, Report, report_of
from enginewright.preflight.rules import graph_rules
from enginewright.preflight.task import GRAPH, STEP, Answer, Options, Task, read_answer, write_task
from enginewright.progress import progress
from enginewright.verdicts import not_run

if TYPE_CHECKING:
    import onnx

_CRASHES = {signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGBUS, signal.SIGILL}
"""Signals that a graph can cause; others come from outside."""


def check_graph(model: onnx.ModelProto, options: Options) -> Report:
    """Return whether the builder will take the graph, with every blocker; `Report.refuse_blockers` raises them.

    Where the builder is not installed, or lacks the GPU that it needs, the verdict is `not_run` and says so.

    Raises:
        BuildError: if the child process ends without an answer before it asked the builder anything.
        RequirementError: where REQUIRE_GPU=1 turns a `not_run` into a failure.
    """
    builder = options.build.builder
    if wrong := graph_rules(model):
        return report_of(builder, wrong, (), Counts())
    if (lack := missing(builder)) is not None:
        return Report(builder, not_run(lack))
    with tempfile.TemporaryDirectory(prefix="enginewright-") as name, progress(f"preflight with {builder.name}"):
        write_bytes(Path(name) / GRAPH, graph_bytes(model))
        answer = _answer(Path(name), options)
    if isinstance(answer, str):
        return Report(builder, not_run(answer))
    return report_of(builder, answer.blockers, answer.notes, answer.counts, answer.pending)


def missing(builder: Builder) -> str | None:
    """Return what the builder lacks on this machine to answer anything, as far as that shows without importing it."""
    if find_spec(builder.value) is None:
        return f"the builder {builder.name} is not installed: there is no Python package {builder.value}"
    if builder is Builder.tensorrt and find_gpu() is None:
        return "the builder tensorrt needs a GPU, and this machine has none"
    return None


def _answer(folder: Path, options: Options) -> Answer | str:
    """Run children until one answers: each that dies tells the next by which step."""
    fatal: dict[int, str] = {}
    while True:
        (folder / STEP).unlink(missing_ok=True)
        write_task(folder, Task(options, fatal))
        code = _run(folder, options.build.builder)
        if code == 0:
            return read_answer(folder)
        step = int((folder / STEP).read_text()) if (folder / STEP).exists() else None
        if -code not in _CRASHES or step is None or step in fatal:
            raise _died(folder, options.build.builder, code)
        fatal[step] = signal.Signals(-code).name


def _run(folder: Path, builder: Builder) -> int:
    """Return the exit code of one child."""
    command = [sys.executable, "-m", "enginewright.preflight.worker"]
    with (folder / ERRORS).open("wb") as errors:
        done = subprocess.run(
            command, cwd=folder, env=child_environment(builder), stdout=errors, stderr=errors, check=False
        )
    return done.returncode


def _died(folder: Path, builder: Builder, code: int) -> BuildError:
    return BuildError(
        f"preflight's process for {builder.name} ended without an answer",
        expected="an answer, or a step that the builder dies of",
        got=last_words(folder, f"exit code {code}"),
        cure="SIGKILL (-9) is mostly a lack of memory; otherwise report it with the graph",
    )
