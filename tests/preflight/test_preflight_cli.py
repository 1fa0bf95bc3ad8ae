"""`python -m enginewright.preflight`: a network by its configuration, or any ONNX file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import onnx
import pytest

from enginewright.artifacts import read_json
from enginewright.config.choices import Builder
from enginewright.preflight.check import missing
from tests.preflight.graphs import KNOWN, convolution, dynamic, several, topk
from tests.stage.project import files_below, project, run_module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("preflight"))


def preflight(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run_module(folder, "enginewright.preflight", *arguments)
    assert "Traceback" not in done.stderr
    return done


def saved(folder: Path, graph: onnx.ModelProto, name: str) -> str:
    (folder / name).write_bytes(graph.SerializeToString())
    return name


def test_a_good_file_passes(folder: Path) -> None:
    done = preflight(folder, "--graph", saved(folder, convolution(), "good.onnx"))
    assert (done.returncode, done.stdout) == (0, "preflight for tensorrt_rtx: passed, 2 nodes\n")


def test_a_bad_file_fails_with_every_blocker_and_cure_on_stdout(folder: Path) -> None:
    before = files_below(folder)
    done = preflight(folder, "--graph", saved(folder, several(), "bad.onnx"), "--json", "out/report.json")
    assert done.returncode == 1
    assert done.stdout.startswith("preflight for tensorrt_rtx: failed, 5 blockers\n")
    for name in ("Det det", "NonZero find", "DeformConv deform", "Unique unique", "TopK top"):
        assert f"  {name}: " in done.stdout
    assert done.stdout.count("    cure: ") == 5
    report = read_json(folder / "out/report.json")
    assert [item["operator"] for item in report["blockers"]] == ["Det", "NonZero", "DeformConv", "Unique", "TopK"]
    assert files_below(folder) - before == {"bad.onnx", "out/report.json"}


def test_ranges_are_given_by_axis(folder: Path) -> None:
    name = saved(folder, dynamic(), "dynamic.onnx")
    assert preflight(folder, "--graph", name, "--range", "rows=1:8").returncode == 0
    done = preflight(folder, "--graph", name)
    assert done.returncode == 1
    assert "the dynamic axis rows of the input x has no range" in done.stdout
    corner = preflight(folder, "--graph", saved(folder, topk(32, "n"), "topk.onnx"), "--range", "n=16:64")
    assert "at n=16: " in corner.stdout


@pytest.mark.parametrize("text", ["rows=8:1", "rows=1-4"])
def test_a_range_that_does_not_fit_is_refused(folder: Path, text: str) -> None:
    done = preflight(folder, "--graph", saved(folder, dynamic(), "dynamic.onnx"), "--range", text)
    assert done.returncode == 1
    assert "--range AXIS=MIN:MAX" in done.stderr


def test_tensors_in_another_file_are_named(folder: Path) -> None:
    done = preflight(folder, "--graph", saved(folder, KNOWN["external data"].graph(), "external.onnx"))
    assert done.returncode == 1
    assert "tensor w: it lies in another file" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "network=NAME with overrides, or --graph FILE"),
        (("network=",), "cure: make preflight NETWORK=disk, or make preflight GRAPH=model.onnx"),
        (("network=disk", "network=disk_lightglue"), "network=NAME with overrides"),
        (("network=dsk",), "dsk"),
        (("network=disk", "export.opset=99"), "16 to 23"),
        (("network=disk", "--opset=3"), "--opset"),
        (("--graph", "nowhere.onnx"), "there is no such file"),
        (("--graph", "text.onnx"), "text.onnx is no ONNX model"),
        (("--graph", "text.onnx"), "cure: name an ONNX file"),
        (("--graph", "text.onnx", "builder.tf32=maybe"), "maybe"),
        (("--graph", "text.onnx", "network=disk"), "not both"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_error(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    (folder / "text.onnx").write_text("no model")
    done = preflight(folder, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(missing(Builder.tensorrt) is None, reason="needs a machine without the full TensorRT or a GPU")
def test_a_builder_that_cannot_be_asked_is_told_at_once_and_by_the_exit_status(folder: Path) -> None:
    for arguments in (("network=disk",), ("--graph", saved(folder, convolution(), "good.onnx"))):
        done = preflight(folder, *arguments, "builder=tensorrt")
        assert done.returncode == 2
        assert done.stdout.startswith("preflight for tensorrt: not_run, the builder tensorrt")
        assert done.stderr == ""


def test_a_configured_network_needs_no_checkpoint(folder: Path) -> None:
    before = files_below(folder)
    done = preflight(folder, "network=disk", "experiment=small", "export=torchscript")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("preflight for tensorrt_rtx: passed, ")
    assert files_below(folder) == before
