"""A run-cache in which a kill left a folder without an entry."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from enginewright.recovery.run_cache import RUNS, mend_runs

STAGE = "stages:\n  copy:\n    cmd: cp a b\n    deps: [a]\n    outs: [b]\n"


def repro(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DVC_SITE_CACHE_DIR": str(folder / ".site")}
    return subprocess.run(
        ["dvc", "repro"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_dvc_goes_on_once_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["dvc", "init", "-q", "--no-scm"], check=True)
    Path("a").write_text("a")
    Path("dvc.yaml").write_text(STAGE)
    assert repro(tmp_path).returncode == 0
    (entry,) = (path for path in RUNS.glob("??/*/*") if path.is_file())
    entry.unlink()
    for gone in ("dvc.lock", "b"):
        Path(gone).unlink()
    assert "NoneType" in repro(tmp_path).stderr, "DVC mends it by itself: this part of recovery can go"
    assert mend_runs() == ["1 empty folders in .dvc/cache/runs, of killed runs: removed"]
    assert repro(tmp_path).returncode == 0
    assert Path("b").read_text() == "a"


def test_entries_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    entry = RUNS / "ab" / "abcd" / "entry"
    entry.parent.mkdir(parents=True)
    entry.write_text("outs: []")
    assert mend_runs() == []
    assert entry.is_file()


def test_without_a_run_cache_there_is_nothing_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mend_runs() == []
