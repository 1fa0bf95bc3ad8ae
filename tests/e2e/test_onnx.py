"""docs/onnx.md, run: an ONNX file that a package ships, from its conf file to an engine, in either LayerNorm form."""

from __future__ import annotations

import shlex
from pathlib import Path

import onnx
import pytest

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decomposed_layernorms
from tests.e2e.test_docs import blocks, commands
from tests.e2e.workspace import Workspace, ran

PAGE = "docs/onnx.md"
LAYERNORMS = 5


@pytest.fixture
def page(tmp_path: Path) -> Workspace:
    """Return a checkout with the conf file of the page, in which nothing was built."""
    space = Workspace.copied_to(tmp_path / "checkout")
    (space.path / "conf/network/ocr.yaml").write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")
    space.commit("ocr")
    return space


def operators(space: Workspace) -> tuple[int, int]:
    """Return how many LayerNorms the adopted graph has as operators, and how many spelled out."""
    model = onnx.load_model(space.path / "weights/ocr/exported.onnx")
    return layernorm_ops(model), decomposed_layernorms(model)


def test_the_file_of_the_page_goes_to_an_engine_in_either_form(page: Workspace) -> None:
    native, decomposed = [shlex.split(line) for line in commands(PAGE)]
    first = {name.partition("@")[0] for name in ran(page.run(*native))} - {"probe"}
    assert first == {"adopt", "preflight", "simplify", "cast", "compare", "build", "attest", "report"}
    assert page.json("metrics/ocr/swap.json")["layers_swapped"] == LAYERNORMS
    assert page.json("metrics/ocr/swap.json")["max_abs_diff"] < 1e-4
    assert page.json("metrics/ocr/export.json")["opset"] == 20
    assert operators(page) == (LAYERNORMS, 0)
    assert page.json("metrics/ocr/compare.json")["verdict"] == "passed"
    assert (page.path / "weights/ocr/engine.plan").stat().st_size > 1e6
    assert not (page.path / "metrics/ocr/match.json").exists()
    assert not (page.path / "weights/ocr/checkpoint.safetensors").exists()
    assert "ocr" in (page.path / "report/index.html").read_text(encoding="utf-8")
    page.run(*decomposed)
    assert page.json("metrics/ocr/swap.json")["layers_swapped"] == 0
    assert operators(page) == (0, LAYERNORMS)
    assert page.json("metrics/ocr/compare.json")["verdict"] == "passed"
    assert ran(page.run(*native)) == ["probe"], "back again is a matter of the cache"


def test_a_wrong_description_is_answered_with_what_to_write(page: Workspace) -> None:
    page.edit("conf/network/ocr.yaml", r"\[1, 3, 48, 320\]", "[1, 3, 32, 320]")
    page.edit("conf/network/ocr.yaml", r"    x: ", "    image: ")
    found = page.run(*shlex.split(commands(PAGE)[0]), check=False)
    assert found.returncode != 0
    assert "x: {shape: [?, 3, ?, ?], fill: values}" in found.stdout + found.stderr
    assert not (page.path / "weights/ocr/exported.onnx").exists()


def test_the_other_example_of_the_page_composes(page: Workspace) -> None:
    inputs = blocks(PAGE, "yaml")[1].split("model:\n")[1]
    first = blocks(PAGE, "yaml")[0]
    start, end = first.index("  inputs:"), first.index("\ncheckpoint:")
    (page.path / "conf/network/ocr.yaml").write_text(first[:start] + inputs + first[end:], encoding="utf-8")
    page.run("python", "-m", "enginewright.config.compose", "--output", "scratch/params.yaml", "network=[ocr]")
    assert "attention_mask" in (page.path / "scratch/params.yaml").read_text(encoding="utf-8")
