"""Telemetry is off in everything that is started, however it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from enginewright.errors import exit_with
from enginewright.quiet import SETTINGS
from tests.dag import ROOT


def test_every_command_switches_it_off_for_itself_and_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    exit_with(lambda: None)
    told = subprocess.run(
        [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout).items() >= SETTINGS.items()
    assert os.environ["DVC_NO_ANALYTICS"] == "1"


def test_every_stage_and_command_is_entered_by_what_switches_it_off() -> None:
    mains = [
        *ROOT.glob("stages/*.py"),
        *ROOT.glob("enginewright/**/__main__.py"),
        ROOT / "enginewright/config/compose.py",
    ]
    loud = [path.name for path in mains if path.stem != "__init__" and not _is_quiet(path)]
    assert not loud


def _is_quiet(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "exit_with(" in text or "    enter(main, SECTIONS" in text


def test_dvc_itself_neither_reports_nor_asks_for_updates() -> None:
    text = (ROOT / ".dvc" / "config").read_text(encoding="utf-8")
    assert "analytics = false" in text
    assert "check_update = false" in text
    assert "export DVC_NO_ANALYTICS := 1" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_pip_is_never_asked_for_its_version() -> None:
    recipes = [
        line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "-m pip install" in line
    ]
    assert recipes
    assert all("--disable-pip-version-check" in line for line in recipes)
