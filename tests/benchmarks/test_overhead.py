"""The benchmark's plan and table; its measurements are no test."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import one_process, overhead
from enginewright.stage.commands import files_in
from tests.e2e.workspace import ROOT


def test_the_plan_holds_every_stage_but_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    steps = one_process.plan()
    stages = list(dict.fromkeys(step.name.partition("@")[0] for step in steps))
    assert stages == [
        "checkpoint",
        "swap",
        "export",
        "preflight",
        "simplify",
        "cast",
        "compare",
        "build",
        "match",
        "attest",
        "report",
    ]
    assert [step.network for step in steps if step.name.startswith("match@")] == ["disk_lightglue"]
    assert [step.network for step in steps if step.name.startswith("export@")] == ["disk", "disk_lightglue"]


def test_the_plan_fills_in_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    commands = [step.cmd for step in one_process.plan()]
    assert all(files_in(command)[1] for command in commands)
    assert not [command for command in commands if "$" in command]


def test_a_pair_gives_medians_and_the_median_of_ratios() -> None:
    assert overhead._pair([2.0, 6.0, 3.0], [1.0, 2.0, 3.0]) == {"pipeline_s": 3.0, "base_s": 2.0, "ratio": 2.0}


def test_the_table_shows_ratio_and_limit() -> None:
    pair = {"pipeline_s": 12.0, "base_s": 10.0, "ratio": 1.2}
    text = overhead.table({"cold": pair, "unchanged": pair, "commit": "abc", "hardware": "2 CPU cores, no GPU"})
    assert "| 12.0 s | 10.0 s | 1.2 | 1.3 |" in text
    assert "Commit abc" in text


def test_a_failing_command_stops_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit 3"):
        overhead.timed("sh", "-c", "echo no >&2; exit 3", folder=tmp_path)
