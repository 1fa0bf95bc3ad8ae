"""The building process by itself: what it leaves in its folder, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine import api
from enginewright.engine.job import ENGINE, GRAPH, JOB, LOG, RESULT, Job, write_job
from tests.engine.graphs import RANGES, ROOT, job, normalised_top, with_nonzero


def work(folder: Path, given: Job | None = None, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the building process in `folder`, which holds the graph already."""
    write_job(folder, given or job())
    environment = api.environment(Builder.tensorrt_rtx, os.environ) | {"PYTHONPATH": str(ROOT)} | variables
    command = [sys.executable, "-m", "enginewright.engine.worker"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / RESULT).read_text())
    return found


def test_it_leaves_the_engine_and_its_facts(tmp_path: Path) -> None:
    normalised_top(tmp_path / GRAPH)
    done = work(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ENGINE).stat().st_size > 100_000
    found = result(tmp_path)
    assert sorted(found) == [
        "inputs",
        "layer_types",
        "layers",
        "options",
        "outputs",
        "peak_mb",
        "profile",
        "seconds",
        "versions",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([GRAPH, JOB, ENGINE, RESULT, LOG])


def test_its_standard_output_is_steps_and_nothing_else(tmp_path: Path) -> None:
    normalised_top(tmp_path / GRAPH)
    steps = work(tmp_path).stdout
    assert len(steps) > 50
    assert set(steps) == set(b".")


def test_what_others_print_goes_to_standard_error(tmp_path: Path) -> None:
    """Polygraphy greets with a warning where `colored` is missing; anything printed must stay out of the pipe."""
    normalised_top(tmp_path / GRAPH)
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, os\natexit.register(lambda: (print('said at the end'), os.write(1, b'and below')))\n"
    )
    done = work(tmp_path, PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")
    assert b"said at the end" in done.stderr
    assert b"and below" in done.stderr
    assert set(done.stdout) == set(b".")


def test_a_dynamic_graph(tmp_path: Path) -> None:
    normalised_top(tmp_path / GRAPH, dynamic=True)
    work(tmp_path, job(ranges=RANGES))
    assert result(tmp_path)["profile"] == {"x": {"min": [1, 16, 32], "opt": [2, 64, 32], "max": [4, 128, 32]}}


def test_an_error_is_the_result_and_no_crash(tmp_path: Path) -> None:
    with_nonzero(tmp_path / GRAPH)
    done = work(tmp_path)
    assert done.returncode == 0
    error = result(tmp_path)["error"]
    assert error["class"] == "BuildError"
    assert error["what"] == "the builder cannot take the typed graph"
    assert error["got"].startswith("node 5 (NonZero find_peaks): UNSUPPORTED_NODE")
    assert not (tmp_path / ENGINE).exists()


def test_a_missing_job_is_told_in_the_result(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "enginewright.engine.worker"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert "job.json" in result(tmp_path)["error"]["what"]


@pytest.mark.parametrize("build", [BuildConfig(), BuildConfig(tf32=True)])
def test_two_runs_leave_the_same_bytes(tmp_path: Path, build: BuildConfig) -> None:
    engines = []
    for name in ("first", "second_with_a_longer_name"):
        (tmp_path / name).mkdir()
        normalised_top(tmp_path / name / GRAPH)
        assert work(tmp_path / name, job(build)).returncode == 0
        engines.append((tmp_path / name / ENGINE).read_bytes())
    assert engines[0] == engines[1]


def test_the_peak_is_this_process_alone(tmp_path: Path) -> None:
    normalised_top(tmp_path / GRAPH)
    held = bytearray(700 << 20)
    held[::4096] = b"x" * len(held[::4096])
    work(tmp_path)
    assert 50 < result(tmp_path)["peak_mb"] < 600
