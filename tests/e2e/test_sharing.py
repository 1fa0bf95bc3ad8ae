"""Engines through a folder: a colleague's clone, with a cache of its own, builds none of them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.workspace import Workspace
from tests.engine.driver import ADA, compiled_driver


@pytest.fixture
def theirs(scratch: Workspace, tmp_path: Path) -> Workspace:
    """Return a colleague's clone into which everything was pulled."""
    scratch.run("python", "-m", "enginewright.sharing", "remote", str(tmp_path / "place"))
    scratch.commit("remote")
    scratch.run("python", "-m", "enginewright.sharing", "push")
    clone = Workspace(tmp_path / "theirs")
    scratch.run("git", "clone", "-q", str(scratch.path), str(clone.path))
    clone.run("python", "-m", "enginewright.sharing", "pull")
    return clone


def test_a_clone_has_the_engines_and_runs_nothing_but_the_probe(scratch: Workspace, theirs: Workspace) -> None:
    patterns = ("weights/*/*", "metrics/*/*", "plots/*/*", "report/*")
    assert all(theirs.digests(pattern) == scratch.digests(pattern) for pattern in patterns[:2])
    assert theirs.repro() == ["probe"]
    assert theirs.run("git", "status", "--porcelain").stdout == ""


def test_a_colleague_with_a_gpu_is_told_what_has_to_be_proven_there(theirs: Workspace, tmp_path: Path) -> None:
    (tmp_path / "driver").mkdir()
    library = f"LD_LIBRARY_PATH={compiled_driver(tmp_path / 'driver')}"
    command = ("env", library, f"CUDA_VISIBLE_DEVICES={ADA}", "python", "-m", "enginewright.explaining")
    told = theirs.run(*command).stdout.replace("\n    ", " ")
    assert "probe/gpu.json: gpu none -> name Test Ada, compute_capability 8.9, driver 580.1: " in told or (
        "probe/gpu.json: gpu none -> compute_capability 8.9, driver 580.1, name Test Ada: " in told
    )
    assert "runs: preflight, compare, build of disk, disk_lightglue; match of disk_lightglue" in told
    assert "comes from the cache" not in told
