"""dvc.yaml and the stage adopt: no network of conf/ is an ONNX file, so the tests of the wired stages pass it over."""

from __future__ import annotations

from stages import adopt
from tests.dag import ROOT, raw, reached, stage_files, stages
from tests.test_dependencies import PLUMBING


def deps() -> list[str]:
    return [dep for dep in raw("adopt")["deps"] if "$" not in dep]


def covered(file: str) -> bool:
    return any(file == dep or file.startswith(f"{dep}/") for dep in deps())


def test_every_module_that_it_can_import_is_a_dependency() -> None:
    files = reached(stage_files()["adopt"], (), PLUMBING).files
    assert sorted(file for file in files if not covered(file)) == []


def test_no_dependency_is_there_without_being_imported() -> None:
    files = reached(stage_files()["adopt"]).files
    code = [dep for dep in deps() if not dep.startswith("probe/")]
    assert all((ROOT / dep).exists() for dep in code)
    assert [dep for dep in code if not any(file == dep or file.startswith(f"{dep}/") for file in files)] == []


def test_it_runs_over_the_onnx_networks_and_reads_what_it_declares() -> None:
    assert stages()["adopt"]["foreach"] == "${onnx_networks}"
    assert raw("adopt")["params"] == [f"networks.${{key}}.{section}" for section in adopt.SECTIONS]


def test_it_imports_no_torch() -> None:
    found = reached(stage_files()["adopt"])
    assert "torch" not in found.others
    assert "onnxruntime" in found.others


def test_it_writes_what_swap_and_export_write() -> None:
    assert written("adopt") == written("swap") | written("export")


def written(name: str) -> set[str]:
    return {*raw(name)["outs"], *raw(name)["metrics"]}
