"""DVC's list of busy files, cut short or out of date."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from enginewright.recovery.busy_files import BUSY, mend_busy


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    BUSY.parent.mkdir(parents=True)


def listed(process: int) -> str:
    return json.dumps({"write": {"/a": {"pid": process, "cmd": "dvc repro"}}, "read": {}})


@pytest.mark.parametrize("text", ["", "{", '{"write": {"/a/b'])
def test_one_cut_short_is_removed(text: str) -> None:
    BUSY.write_text(text)
    assert "cut short" in mend_busy()[0]
    assert not BUSY.exists()


def test_one_that_names_the_dead_is_removed() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    BUSY.write_text(listed(process.pid))
    assert "ended" in mend_busy()[0]


def test_one_that_names_another_program_under_an_old_number_is_removed() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        BUSY.write_text(listed(process.pid))
        assert "ended" in mend_busy()[0]
        process.kill()


def test_one_that_names_a_python_at_work_stays() -> None:
    BUSY.write_text(listed(os.getpid()))
    assert mend_busy() == []
    assert BUSY.exists()


@pytest.mark.parametrize("text", ["{}", '{"read": {}, "write": {}}'])
def test_an_empty_one_stays(text: str) -> None:
    BUSY.write_text(text)
    assert mend_busy() == []


def test_none_at_all_is_fine() -> None:
    assert mend_busy() == []
