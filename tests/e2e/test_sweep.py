"""`make sweep` as a user runs it, on the small checkout, and what it leaves behind."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.workspace import Workspace, ran

SWEEP = (sys.executable, "-m", "enginewright.sweeping")
AXES = (
    "networks.disk_lightglue.compare.max_abs=0.0021,1e-12",  # nothing is as near as that: a breach
    "networks.disk_lightglue.match.pictures=7,8",
)
"""Values of no other test: what another one ran in the cache that both share would not run again."""


def rows(space: Workspace) -> list[dict[str, Any]]:
    """Return the rows of the only sweep."""
    (path,) = space.path.glob("sweeps/*/results.json")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["variants"]
    return found


def state(space: Workspace) -> list[Any]:
    """Return what a sweep must not touch."""
    status = space.run("git", "status", "--porcelain").stdout
    return [status, space.digests("params.yaml"), space.digests("dvc.lock"), space.digests("weights/*/*")]


def steps_run(found: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the distinct steps that ran, key and stage."""
    return {step["key"]: step["stage"] for row in found for step in row["steps"] if step["ran"]}


def test_a_sweep_builds_shared_steps_once_and_leaves_experiments(scratch: Workspace) -> None:
    before = state(scratch)
    done = scratch.run(*SWEEP, "--workers", "2", *AXES, check=False)
    assert done.returncode == 1, done.stderr
    assert state(scratch) == before
    found = rows(scratch)
    assert [row["state"] for row in found] == ["done", "done", "failed", "failed"], done.stderr
    assert all("does not agree" in row["reason"] for row in found[2:])
    names = sorted(steps_run(found).values())
    one, two = ["compare", "build"], ["match", "attest", "report"]
    wanted = [*one, "compare", *two, *two]
    assert [name.partition("@")[0] for name in names] == sorted(wanted)
    kept = list(scratch.path.glob(f"sweeps/*/failed/{found[2]['name']}/metrics/disk_lightglue/*.json"))
    assert {"compare.json", "export.json"} <= {path.name for path in kept}
    assert found[0]["name"] in scratch.run("dvc", "exp", "list", "--name-only").stdout
    scratch.run("dvc", "exp", "apply", found[1]["name"])
    assert ran(scratch.run("dvc", "repro")) == ["probe"]
    scratch.run("git", "checkout", "-q", ".")
    again = scratch.run(*SWEEP, "--workers", "2", *AXES[1:], "networks.disk_lightglue.compare.max_abs=0.0021")
    assert "2 cached" in again.stderr


def test_nothing_runs_for_a_typo_and_a_combination_is_a_row(scratch: Workspace) -> None:
    typo = scratch.run(*SWEEP, "export.opset=18,24", check=False)
    assert typo.returncode == 1
    assert "cure: set export.opset=23" in typo.stderr
    assert not list(scratch.path.glob("sweeps/*/results.json"))
    scratch.run(*SWEEP, "networks.disk_lightglue.export.opset=16,17", check=False)
    assert [row["state"] for row in rows(scratch)] == ["refused", "cached"]


def test_kill_9_loses_the_step_that_ran_and_no_other(scratch: Workspace) -> None:
    words = (*SWEEP, "--workers", "1", "networks.disk_lightglue.compare.max_abs=0.0031,0.0032")
    with subprocess.Popen(words, cwd=scratch.path, env=scratch.environment(), stderr=subprocess.DEVNULL) as driver:
        _wait_for_records(scratch.path, 4)
        os.kill(driver.pid, signal.SIGKILL)
    kept = _records(scratch.path)
    time.sleep(3)
    assert _records(scratch.path) == kept, "a worker went on without its driver"
    scratch.run(*words)
    assert [row["state"] for row in rows(scratch)] == ["done", "done"]


@pytest.mark.parametrize(("engine", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_other_engines_make_the_same_artifacts_through_a_remote(
    scratch: Workspace, tmp_path: Path, engine: str, package: str
) -> None:
    words = (*SWEEP, "--workers", "2", "networks.disk_lightglue.match.pictures=10,11")
    if importlib.util.find_spec(package) is None:
        told = scratch.run(*words, "--engine", engine, check=False)
        assert f"cure: make setup-{engine}" in told.stderr
        pytest.skip(f"needs {package}: make setup-{engine}")
    scratch.run(*words)
    local = {row["name"]: _artifacts(scratch, row["experiment"]) for row in rows(scratch)}
    scratch.run("dvc", "remote", "add", "--local", "-d", "meeting", str(tmp_path / "remote"))
    scratch.run(*words, "--engine", engine, "--cluster", "local", "--folder", str(tmp_path / "nodes"))
    assert {row["name"]: _artifacts(scratch, row["experiment"]) for row in rows(scratch)} == local


def _records(root: Path) -> int:
    return len(list(root.glob(".cache/sweeps/steps/*/*.json")))


def _wait_for_records(root: Path, count: int) -> None:
    end = time.monotonic() + 300
    while _records(root) < count and time.monotonic() < end:
        time.sleep(0.2)


def _artifacts(space: Workspace, commit: str) -> dict[str, str]:
    """Return the hash of every file below weights/ of an experiment, but statements: they tell of the run too."""
    import yaml

    lock = yaml.safe_load(space.run("git", "show", f"{commit}:dvc.lock").stdout)
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]
    files = {out["path"]: out["md5"] for out in outs if out["path"].startswith("weights/")}
    return {path: md5 for path, md5 in files.items() if not path.endswith(".intoto.json")}
