"""The floor's plan: the stages that dvc.yaml has."""

from __future__ import annotations

import pytest

from benchmarks import one_process
from enginewright.stage.commands import files_in
from tests.e2e.workspace import ROOT


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_plan_holds_every_stage_but_the_probe() -> None:
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


def test_the_plan_fills_in_every_path() -> None:
    commands = [step.cmd for step in one_process.plan()]
    assert all(files_in(command)[1] for command in commands)
    assert not [command for command in commands if "$" in command]


def test_a_choice_keeps_the_order_of_the_pipeline() -> None:
    names = [step.name for step in one_process.plan(["report", "cast@disk", "export@disk"])]
    assert names == ["export@disk", "cast@disk", "report"]
