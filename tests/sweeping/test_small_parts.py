"""Sizes, options, paths and what errors mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import ConfigError, SweepError
from enginewright.sweeping.engines.options import options_of
from enginewright.sweeping.jobs import Result
from enginewright.sweeping.judging import judged
from enginewright.sweeping.paths import ignored_texts
from enginewright.sweeping.pool import difference
from enginewright.sweeping.results import State
from enginewright.sweeping.sizing import UNMEASURED_MB, sizing_of


@pytest.mark.parametrize(
    ("asked", "peak", "width", "machine", "workers"),
    [
        (None, 1000.0, 12, (8, 100_000.0), 8),  # as many as cores
        (None, 4000.0, 12, (8, 20_000.0), 4),  # as many as memory
        (None, 1000.0, 3, (8, 100_000.0), 3),  # as many as variants
        (None, None, 12, (8, 2.5 * UNMEASURED_MB), 2),  # what was not measured counts as large
        (None, 9000.0, 12, (8, 100.0), 1),  # one always
        (5, 9000.0, 12, (2, 100.0), 5),  # as asked
    ],
)
def test_workers_fit(
    asked: int | None, peak: float | None, width: int, machine: tuple[int, float], workers: int
) -> None:
    found = sizing_of(asked, peak, width, *machine)
    assert found.workers == workers
    assert found.threads == max(1, machine[0] // workers)


def test_no_worker_is_refused() -> None:
    with pytest.raises(SweepError, match="WORKERS=1"):
        sizing_of(0, None, 1, 1, 1.0)


def test_options_are_read_as_yaml() -> None:
    assert options_of(["a=1", "b=x=y", "c=true"]) == {"a": 1, "b": "x=y", "c": True}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        options_of(["a"])


def test_gitignore_is_completed_in_the_order_of_the_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".gitignore").write_text("/y")
    assert ignored_texts(["a/x", "a/y", "b/z"]) == {"a/.gitignore": "/y\n/x\n", "b/.gitignore": "/z\n"}


@pytest.mark.parametrize(
    ("stage", "kind", "what", "state"),
    [
        ("compare@a", "CompareError", "it breaches", State.failed),
        ("preflight@a", "GraphError", "1 blocker", State.refused),
        ("cast@a", "GraphError", "the builder cannot build it in fp32", State.refused),
        ("cast@a", "GraphError", "the graph is not fp16", State.failed),
        ("swap@a", "ConfigError", "no such combination", State.refused),
        ("match@a", "RequirementError", "no GPU", State.not_run),
        ("match@a", "StageCmdFailedError", "exit 137", State.failed),
    ],
)
def test_an_error_says_what_becomes_of_the_variant(stage: str, kind: str, what: str, state: State) -> None:
    error = {"kind": kind, "what": what, "expected": None, "got": "a\n  b", "cure": "mend it"}
    found = judged(stage, Result(None, True, 1.0, 1.0, error=error))
    assert found == (state, f"{stage}: {what}; got: a b; cure: mend it")


def test_machines_of_two_kinds_are_told_apart() -> None:
    assert difference({"gpu": 1, "torch": 2}, {"gpu": 1, "torch": 2}) is None
    assert str(difference({"gpu": 1, "torch": 2}, {"gpu": 2, "torch": 2})).endswith(": gpu")
