"""A small DVC project whose stages run side by side: the same decisions, lock file and errors as DVC's own loop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.workspace import ROOT

MEET = (
    "touch {0}.here; for i in $(seq 1000); do test -e {1}.here && break; sleep 0.05; done; "
    "test -e {1}.here && cp {0}.in {0}.out"
)
"""Writes an output once another stage runs at the same time."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def stage(command: str, name: str, *deps: str) -> dict[str, object]:
    return {"cmd": command, "deps": [f"{name}.in", *deps], "outs": [f"{name}.out"]}


def copy(name: str, *deps: str) -> dict[str, object]:
    return stage(f"cp {name}.in {name}.out", name, *deps)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abcde":
        (tmp_path / f"{name}.in").write_text(name)
    subprocess.run(["dvc", "init", "-q", "--no-scm"], cwd=tmp_path, check=True)
    return tmp_path


def lay(folder: Path, **stages: object) -> None:
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))


def environment(folder: Path, workers: int) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(ROOT), "ENGINEWRIGHT_WORKERS": str(workers), "DVC_SITE_CACHE_DIR": str(folder / ".site"),
    }  # fmt: skip


def repro(folder: Path, *words: str, workers: int = 2) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enginewright.side_by_side", "repro", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(folder, workers), capture_output=True, text=True, check=False, timeout=120
    )


def diamond(folder: Path) -> None:
    b, c = MEET.format("b", "c"), MEET.format("c", "b")
    lay(folder, a=copy("a"), b=stage(b, "b", "a.out"), c=stage(c, "c", "a.out"), d=copy("d", "b.out", "c.out"))


def test_independent_stages_run_at_the_same_time(folder: Path) -> None:
    diamond(folder)
    done = repro(folder)
    assert done.returncode == 0, done.stderr
    assert [(folder / f"{name}.out").read_text() for name in "abcd"] == ["a", "b", "c", "d"]


def test_the_second_run_runs_nothing(folder: Path) -> None:
    diamond(folder)
    repro(folder)
    done = repro(folder)
    assert done.returncode == 0
    assert "Running stage" not in done.stdout
    assert done.stdout.count("didn't change, skipping") == 4


def test_the_lock_file_is_that_of_dvc_alone(folder: Path) -> None:
    slow = "sleep 0.4; cp b.in b.out"
    stages = {"a": copy("a"), "b": stage(slow, "b", "a.out"), "c": copy("c"), "d": copy("d", "c.out"), "e": copy("e")}
    lay(folder, **stages)
    assert repro(folder).returncode == 0
    found = (folder / "dvc.lock").read_bytes()
    (folder / "dvc.lock").unlink()
    subprocess.run(["dvc", "repro", "-q", "-f"], cwd=folder, env=environment(folder, 1), check=True)
    assert (folder / "dvc.lock").read_bytes() == found


def test_a_failure_lets_the_others_end_and_starts_nothing_more(folder: Path) -> None:
    (folder / "a.sh").write_text("until test -e b.here; do sleep 0.05; done; exit 3")
    slow = "touch b.here; sleep 0.5; cp b.in b.out"
    lay(folder, a=stage("sh a.sh", "a"), b=stage(slow, "b"), c=copy("c", "a.out"), d=copy("d"))
    done = repro(folder)
    assert done.returncode == 255
    assert "failed to reproduce 'a': failed to run: sh a.sh, exited with 3" in done.stderr
    assert (folder / "b.out").read_text() == "b"
    assert not (folder / "c.out").exists()
    assert not (folder / "d.out").exists()
    locked = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    assert list(locked) == ["b"]


def test_keep_going_skips_what_needs_the_failed_one(folder: Path) -> None:
    lay(folder, a=stage("exit 3", "a"), b=copy("b", "a.out"), c=copy("c"), d=copy("d", "c.out"))
    done = repro(folder, "--keep-going")
    assert done.returncode == 255
    assert "Stage 'b' will be skipped due to this failure" in done.stderr
    assert (folder / "d.out").exists()


def test_a_changed_stage_runs_again_with_what_needs_it(folder: Path) -> None:
    lay(folder, a=copy("a"), b=copy("b", "a.out"), c=copy("c"))
    repro(folder)
    (folder / "a.in").write_text("new")
    done = repro(folder)
    assert [name for name in "abc" if f"Running stage '{name}'" in done.stdout] == ["a", "b"]


def test_force_downstream_runs_what_comes_after(folder: Path) -> None:
    lay(folder, a=copy("a"), b=copy("b", "a.out"), c=copy("c"))
    repro(folder)
    (folder / "dvc.yaml").write_text((folder / "dvc.yaml").read_text().replace("cp a.in", "cat a.in; cp a.in"))
    done = repro(folder, "--force-downstream")
    assert [name for name in "abc" if f"Running stage '{name}'" in done.stdout] == ["a", "b"]


def waiting(folder: Path, name: str) -> dict[str, object]:
    """Return a stage that tells that it runs, and then waits: one process, since a shell can let Ctrl-C pass."""
    (folder / f"{name}.py").write_text(f"import time\nopen('{name}.here', 'w').close()\ntime.sleep(60)\n")
    return stage(f"exec {sys.executable} {name}.py", name)


def test_ctrl_c_stops_what_runs_and_starts_nothing_more(folder: Path) -> None:
    lay(folder, a=waiting(folder, "a"), b=waiting(folder, "b"), c=copy("c"))
    command = [sys.executable, "-m", "enginewright.side_by_side", "repro"]
    started = subprocess.Popen(
        command, cwd=folder, env=environment(folder, 2), stderr=subprocess.PIPE, start_new_session=True
    )
    here = [folder / "a.here", folder / "b.here"]
    for _ in range(1200):
        if all(path.exists() for path in here):
            break
        time.sleep(0.05)
    assert all(path.exists() for path in here)
    began = time.monotonic()
    os.killpg(started.pid, signal.SIGINT)
    assert started.wait(20) == 255
    assert time.monotonic() - began < 15
    assert not (folder / "c.out").exists()


@pytest.mark.parametrize("asked", ["0", "two", "-1", "2.5", "²"])
def test_a_number_that_is_none_is_refused(folder: Path, asked: str) -> None:
    diamond(folder)
    done = subprocess.run(
        [sys.executable, "-m", "enginewright.side_by_side", "repro"], cwd=folder, capture_output=True, text=True,
        env=environment(folder, 1) | {"ENGINEWRIGHT_WORKERS": asked}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no number of workers" in done.stderr
    assert not (folder / "dvc.lock").exists()
