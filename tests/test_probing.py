"""What the machine has: the versions that the tools themselves report, and null for what is not there."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from enginewright.engine.gpu import find_gpu
from enginewright.probing import TOOLS, gpu_facts, probe, versions
from tests.dag import ROOT

ELSEWHERE = {"tensorrt", "tensorrt-cu12", "tensorrt-cu13", "onnxruntime-gpu"}
"""Packages of GPU servers, which this project runs without."""

MODULES = {"numpy": "numpy", "onnx": "onnx", "onnxruntime": "onnxruntime", "pillow": "PIL", "polygraphy": "polygraphy"}


def test_every_package_that_the_pipeline_uses_is_installed_under_the_name_that_is_asked_for() -> None:
    """A misspelt name would be null for ever, and no upgrade of that tool would ever run a stage again."""
    missing = {package for packages in TOOLS.values() for package, at in versions(packages).items() if at is None}
    assert missing <= ELSEWHERE


def test_every_package_is_pinned_by_the_lock_file() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE)}
    asked = {package for packages in TOOLS.values() for package in packages}
    assert asked - ELSEWHERE <= pinned


@pytest.mark.parametrize(("package", "name"), MODULES.items())
def test_the_version_is_the_one_that_the_tool_reports(package: str, name: str) -> None:
    assert versions((package,)) == {package: importlib.import_module(name).__version__}


def test_what_is_not_installed_is_null() -> None:
    assert versions(("no-such-package-anywhere",)) == {"no-such-package-anywhere": None}
    assert versions(()) == {}


def test_there_is_a_file_for_each_tool_and_one_for_the_gpu() -> None:
    found = probe()
    assert {name for name in found if not name.startswith("adapter_")} == {*TOOLS, "gpu"}
    for tool, packages in TOOLS.items():
        assert tuple(found[tool]) == packages


def test_two_probes_of_one_machine_are_equal() -> None:
    """Stages would run again for nothing otherwise."""
    assert probe() == probe()


def test_the_gpu_is_the_one_that_engines_are_judged_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)
    facts = gpu_facts()
    gpu = find_gpu()
    assert facts["require_gpu"] is False
    assert (facts["gpu"] is None) is (gpu is None)
    if gpu:
        assert facts["gpu"]["compute_capability"] == gpu.compute_capability


@pytest.mark.parametrize(("value", "demanded"), [("1", True), ("0", False), ("", False), ("yes", False)])
def test_a_demanded_gpu_is_a_fact_that_stages_depend_on(
    monkeypatch: pytest.MonkeyPatch, value: str, demanded: bool
) -> None:
    monkeypatch.setenv("REQUIRE_GPU", value)
    assert gpu_facts()["require_gpu"] is demanded


def test_names_of_files_are_plain_words() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", tool) for tool in TOOLS)


def test_probing_costs_the_standard_library_alone() -> None:
    code = "import sys; before = set(sys.modules); from enginewright.probing import probe; probe(); "
    code += "print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    foreign = {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names
    assert foreign == {"enginewright"}
