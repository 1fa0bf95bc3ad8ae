"""What must not reach an engine: where it is built, by which user, after what."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.engine.build import build_engine
from enginewright.engine.isolation import in_fresh_memory
from enginewright.engine.job import ENGINE, GRAPH, write_job
from tests.engine.detector import detector, detector_job
from tests.engine.graphs import ROOT

POLYGRAPHY = """
import sys
from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.engine.isolation import import_polygraphy
api.use(Builder.tensorrt_rtx)
import_polygraphy(Builder.tensorrt_rtx)
assert {"polygraphy.backend.trt", "polygraphy.backend.tensorrt_rtx"} <= set(sys.modules)
import inspect
inspect.getmodule = None
from polygraphy.backend.trt import NetworkFromOnnxBytes, CreateConfig
print(NetworkFromOnnxBytes.call_impl.__name__, hasattr(NetworkFromOnnxBytes.call_impl, "__wrapped__"))
"""


def test_work_returns_from_another_thread_without_garbage_collection() -> None:
    seen = in_fresh_memory(lambda: (threading.current_thread(), gc.isenabled()))
    assert seen[0] is not threading.current_thread()
    assert not seen[0].is_alive()
    assert seen[1] is False
    assert gc.isenabled()


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), SystemExit(3)])
def test_what_work_raises_is_raised_here(error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        in_fresh_memory(work)
    assert caught.value is error
    assert gc.isenabled()


def test_polygraphys_loaders_do_not_look_up_their_callers() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", POLYGRAPHY], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "call_impl False\n", done.stderr


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return detector(tmp_path_factory.mktemp("isolation") / "graph.onnx")


@pytest.fixture(scope="module")
def engine(graph: Path) -> bytes:
    return build_engine(graph, detector_job()).engine


@pytest.mark.parametrize("length", [0, 300, 3_000, 60_000])
def test_the_environment_does_not_reach_the_engine(
    graph: Path, engine: bytes, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setenv("A_VARIABLE", "x" * length)
    assert build_engine(graph, detector_job()).engine == engine


@pytest.mark.parametrize("name", ["PYTHONMALLOC", "MALLOC_TOP_PAD_", "NVIDIA_TF32_OVERRIDE"])
def test_variables_that_steer_memory_or_builder_do_not(
    graph: Path, engine: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, {"PYTHONMALLOC": "malloc", "MALLOC_TOP_PAD_": "100000"}.get(name, "0"))
    assert build_engine(graph, detector_job()).engine == engine


WORKER = ["-m", "enginewright.engine.worker"]


def worked(folder: Path, graph: Path, command: Sequence[str], package: Path) -> bytes:
    """Return the engine that the building process makes in `folder`, started with that command, of that package."""
    folder.mkdir(parents=True)
    shutil.copyfile(graph, folder / GRAPH)
    write_job(folder, detector_job())
    environment = api.environment(Builder.tensorrt_rtx, os.environ) | {"PYTHONPATH": str(package)}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (folder / ENGINE).read_bytes()


def test_the_folder_of_the_work_does_not(graph: Path, engine: bytes, tmp_path: Path) -> None:
    assert worked(tmp_path / "work", graph, [sys.executable, *WORKER], ROOT) == engine
    assert worked(tmp_path / ("deeper" * 10) / ("work" * 20), graph, [sys.executable, *WORKER], ROOT) == engine


USED = """
import runpy
from enginewright.engine import options
create = options.create_config
def create_config(*arguments):
    global kept
    kept = [bytes(size) for size in range(600, 60_000, 24)]
    del kept[::2]
    return create(*arguments)
options.create_config = create_config
runpy.run_module("enginewright.engine.worker", run_name="__main__")
"""
"""The building process, whose memory is full of holes when building begins: what another Python leaves there."""


def test_what_python_allocates_between_parsing_and_building_does_not(
    graph: Path, engine: bytes, tmp_path: Path
) -> None:
    program = tmp_path / "used.py"
    program.write_text(USED)
    assert worked(tmp_path / "work", graph, [sys.executable, str(program)], ROOT) == engine


@pytest.fixture
def moved(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies the package, without compiled modules, into a folder of that name."""

    def copied(name: str) -> Path:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "enginewright", tmp_path / name / "enginewright", ignore=ignored)
        return tmp_path / name

    return copied


@pytest.mark.parametrize("name", ["short", "long" * 50])
def test_where_the_package_lies_and_whether_it_is_compiled_do_not(
    graph: Path, engine: bytes, moved: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    package = moved(name)
    for run in ("compiling", "compiled"):
        assert worked(tmp_path / run, graph, [sys.executable, *WORKER], package) == engine


def test_where_the_virtual_environment_lies_does_not(graph: Path, engine: bytes, tmp_path: Path) -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip("needs a virtual environment")
    link = tmp_path / ("environment" * 15)
    link.symlink_to(sys.prefix)
    assert worked(tmp_path / "work", graph, [str(link / "bin" / "python"), *WORKER], ROOT) == engine
