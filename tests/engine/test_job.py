from __future__ import annotations

import json
from pathlib import Path

import pytest

from enginewright.artifacts import write_json
from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.job import JOB, RESULT, Job, read_job, read_result, write_error, write_job
from enginewright.errors import BuildError, ConfigError, GraphError, RequirementError
from tests.engine.graphs import INDEX, RANGES, SCORES, X, Y, job

BUILDS = [
    BuildConfig(),
    BuildConfig(workspace_mib=64, tf32=True, compute_capabilities=["8.9", "12.0"]),
    BuildConfig(
        builder=Builder.tensorrt,
        optimization_level=5,
        version_compatible=True,
        hardware_compatible=True,
        timing_cache="caches",
        timing_cache_sha256="0" * 64,
    ),
]


@pytest.mark.parametrize("build", BUILDS)
def test_a_job_survives_its_file(tmp_path: Path, build: BuildConfig) -> None:
    written = job(build, RANGES)
    write_job(tmp_path, written)
    assert read_job(tmp_path) == written


def test_bindings_and_ranges_are_in_the_file_by_name(tmp_path: Path) -> None:
    write_job(tmp_path, Job(BuildConfig(), (X,), (SCORES, INDEX, Y), {"rows": [1, 64]}))
    raw = json.loads((tmp_path / JOB).read_text())
    assert raw["build"]["builder"] == "tensorrt_rtx"
    assert raw["inputs"] == [{"name": "x", "dtype": "float32", "shape": [2, 64, 32]}]
    assert [output["name"] for output in raw["outputs"]] == ["scores", "index", "y"]
    assert raw["ranges"] == {"rows": [1, 64]}


@pytest.mark.parametrize("cls", [BuildError, ConfigError, GraphError, RequirementError])
def test_an_error_keeps_its_class_and_every_part(tmp_path: Path, cls: type[BuildError]) -> None:
    error = cls("it broke", expected=["a", "b"], got=3, cure="mend it")
    write_error(tmp_path, error)
    with pytest.raises(cls) as caught:
        read_result(tmp_path)
    assert str(caught.value) == str(error)
    assert caught.value.cure == "mend it"


def test_an_error_without_parts_gains_none(tmp_path: Path) -> None:
    write_error(tmp_path, BuildError("it broke"))
    with pytest.raises(BuildError) as caught:
        read_result(tmp_path)
    assert str(caught.value) == "it broke"


def test_a_result_is_returned_as_it_is(tmp_path: Path) -> None:
    write_json(tmp_path / RESULT, {"layers": 3, "seconds": 0.5})
    assert read_result(tmp_path) == {"layers": 3, "seconds": 0.5}
