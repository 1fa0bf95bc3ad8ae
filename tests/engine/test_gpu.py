"""Against a driver compiled by the test, and against the real one where there is a GPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from enginewright.engine.gpu import Gpu, find_gpu
from tests.engine.driver import compiled_driver
from tests.engine.graphs import ROOT

ASK = textwrap.dedent(
    """
    import dataclasses, json
    from enginewright.engine.gpu import find_gpu
    gpu = find_gpu()
    print(json.dumps(gpu and dataclasses.asdict(gpu)))
    """
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_driver(tmp_path_factory.mktemp("driver"))


def ask(driver: Path, **variables: str) -> tuple[Any, str]:
    """Return what find_gpu finds in a process that sees that driver, and its stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    environment |= {"LD_LIBRARY_PATH": str(driver), "PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), done.stderr


def test_the_first_gpu_is_described(driver: Path) -> None:
    found, stderr = ask(driver)
    assert found == {"name": "Test Hopper", "compute_capability": "9.0", "driver": "580.1"}
    assert stderr == "shutdown\n"


@pytest.mark.parametrize("visible", ["1", "1,0", " 1 ", "GPU-1234"])
def test_the_first_visible_gpu_counts(driver: Path, visible: str) -> None:
    found, _ = ask(driver, CUDA_VISIBLE_DEVICES=visible)
    assert (found["name"], found["compute_capability"]) == ("Test Ada", "8.9")


@pytest.mark.parametrize("visible", ["", "-1", "7", "GPU-unknown"])
def test_hidden_and_unknown_gpus_are_none(driver: Path, visible: str) -> None:
    assert ask(driver, CUDA_VISIBLE_DEVICES=visible)[0] is None


def test_a_driver_that_does_not_start_is_no_gpu(driver: Path) -> None:
    assert ask(driver, BROKEN_DRIVER="1") == (None, "")


def test_no_driver_is_no_gpu(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("no library")
    assert ask(tmp_path)[0] is None


def test_an_empty_list_of_visible_devices_hides_the_real_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert find_gpu() is None


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="needs an NVIDIA GPU with nvidia-smi")
def test_the_real_gpu_is_what_nvidia_smi_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    query = ["nvidia-smi", "-i", "0", "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"]
    said = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    name, capability, version = said.strip().split(", ")
    assert find_gpu() == Gpu(name, capability, version)


def test_the_module_imports_nothing_heavy() -> None:
    code = (
        "import sys, enginewright.engine.gpu; print([m for m in ('numpy', 'tensorrt_rtx', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
