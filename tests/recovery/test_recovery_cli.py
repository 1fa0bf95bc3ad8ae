"""What `make repro` runs: it mends, waits for its turn, and becomes dvc."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dag import ROOT

REPRO = (sys.executable, "-m", "enginewright.recovery", "repro")
COMMAND = (sys.executable, "-m", "enginewright.recovery", "--version")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a checkout in `tmp_path` whose dvc.lock was cut short."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "dvc.lock").write_bytes(b"schema: '2.0'\nstages:\n  export@di")
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    (tmp_path / ".dvc/tmp/lock").touch()
    own = {"PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    return {name: value for name, value in os.environ.items() if name != "MAKELEVEL"} | own


def test_it_mends_and_becomes_dvc(tmp_path: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(COMMAND, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3.")
    assert done.stderr.count("recovered: dvc.lock was cut short") == 1


def test_it_composes_and_mends_and_does_nothing_more_where_composing_fails(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*REPRO, "--", "precision=fp99"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("error: ") == 1
    assert "got: precision=fp99" in done.stderr
    assert done.stderr.count("recovered: dvc.lock was cut short") == 1
    assert "Running stage" not in done.stdout
    assert not (tmp_path / "params.yaml").exists()


def test_dvc_reads_what_was_composed_for_it(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "dvc.lock").unlink()
    (tmp_path / ".dvc/config").write_text("", encoding="utf-8")
    stage = "stages:\n  told:\n    cmd: echo precision ${networks.disk.cast.precision}\n"
    (tmp_path / "dvc.yaml").write_text(stage, encoding="utf-8")
    done = subprocess.run(
        [*REPRO, "told", "--", "precision=bf16"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "> echo precision bf16" in done.stdout


def test_a_second_one_waits_for_the_first(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / ".cache").mkdir()
    with (tmp_path / ".cache/repro.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(COMMAND, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        assert "waiting for it" in second.stderr.readline()
        assert second.poll() is None
    assert second.wait(60) == 0
    assert "recovered: " in second.stderr.read()


def test_it_ends_with_make(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / ".cache").mkdir()
    command = [*COMMAND[:2], "enginewright.lifeline", *COMMAND[2:]]  # as the Makefile has it
    make = f"import subprocess; subprocess.run({command!r})"
    with (tmp_path / ".cache/repro.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        first = subprocess.Popen(
            [sys.executable, "-c", make], cwd=tmp_path, env=environment | {"MAKELEVEL": "0"}, stderr=subprocess.PIPE
        )
        assert first.stderr is not None
        assert b"waiting for it" in first.stderr.readline()
        first.kill()
        first.wait()
        assert first.stderr.read() == b"", "the pipe ends with the last process that holds it"
