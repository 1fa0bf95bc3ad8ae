"""The documentation's code and commands, run."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from enginewright.sweeping.axes import sweep_of
from tests.e2e.workspace import ROOT, Workspace

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page of one language ("" for none)."""
    text = README if page == "README.md" else (ROOT / page).read_text(encoding="utf-8")
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def commands(page: str) -> list[str]:
    """Return the command lines of a page's plain blocks, comments taken off."""
    lines = [line for code in blocks(page, "") for line in code.splitlines()]
    known = ("dvc ", "make ", "python ")
    return [line.split(" #")[0].strip() for line in lines if line.startswith(known)]


def test_the_readme_shows_the_commands_that_are_run_here() -> None:
    assert commands("README.md")[0] == "make repro"
    assert len(commands("README.md")) > 8


@pytest.mark.parametrize("command", [line for line in commands("README.md") if line.startswith("dvc exp run -S")])
def test_an_override_of_the_readme_composes(small: Workspace, command: str) -> None:
    overrides = [word for word in shlex.split(command)[3:] if word != "-S"]
    small.run("python", "-m", "enginewright.config.compose", "--output", "scratch/params.yaml", *overrides)


@pytest.mark.parametrize(
    "command", [line for line in commands("README.md") if line.startswith(("python -m", "dvc metrics", "dvc params"))]
)
def test_a_command_of_the_readme_runs(small: Workspace, command: str) -> None:
    small.run(*shlex.split(command))


@pytest.mark.parametrize("command", [line for line in commands("README.md") if line.startswith("make")])
def test_a_make_target_of_the_readme_exists(small: Workspace, command: str) -> None:
    small.run(*shlex.split(command), "-n")


@pytest.mark.parametrize("command", [line for line in commands("README.md") if line.startswith("make sweep")])
def test_a_sweep_of_the_readme_has_variants(command: str) -> None:
    given = dict(word.split("=", 1) for word in shlex.split(command)[2:])
    assert len(sweep_of(given.get("SWEEP"), shlex.split(given.get("ARGS", ""))).variants) >= 4


def test_a_sweep_reads_on_a_screen(scratch: Workspace) -> None:
    scratch.run(sys.executable, "-m", "enginewright.sweeping", "--workers", "1", "match.pictures=3,5")
    table = scratch.run("python", "-m", "enginewright.results", "exps").stdout.splitlines()
    assert sum("-pictures_" in line for line in table) == 2
    assert max(map(len, table)) <= 120


def test_the_network_of_the_docs_goes_to_an_engine(scratch: Workspace) -> None:
    scratch.edit("conf/config.yaml", r"experiment: small", "experiment: null")  # it is about DISK
    adapter, configuration = blocks("docs/networks.md", "python")[0], blocks("docs/networks.md", "yaml")[0]
    (scratch.path / "networks/cells.py").write_text(adapter, encoding="utf-8")
    torch.manual_seed(0)
    shapes = {
        "score.weight": (1, 1, 5, 5),
        "score.bias": (1,),
        "describe.weight": (32, 1, 7, 7),
        "describe.bias": (32,),
    }
    torch.save({name: torch.randn(shape) for name, shape in shapes.items()}, scratch.path / "cells.pth")
    digest = scratch.digests("cells.pth")["cells.pth"]
    (scratch.path / "conf/network/cells.yaml").write_text(configuration.replace("SHA256", digest), encoding="utf-8")
    scratch.commit("cells")
    override = shlex.split(commands("docs/networks.md")[0])
    scratch.run(*override)
    assert scratch.json("metrics/cells/compare.json")["verdict"] == "passed"
    assert (scratch.path / "weights/cells/engine.plan").stat().st_size > 1000
    assert not (scratch.path / "metrics/cells/match.json").exists()
    assert "cells" in (scratch.path / "report/index.html").read_text(encoding="utf-8")


def test_an_adapter_is_short() -> None:
    code = blocks("docs/networks.md", "python")[0]
    assert len(code[code.index("@network") :].strip().splitlines()) <= 40


def test_the_code_of_the_docs_matches_two_images(built: Workspace, tmp_path: Path) -> None:
    from tests.networks.real import photograph, turned

    image = photograph("chelsea.png")
    for name, pixels in (("left.png", image), ("right.png", turned(image))):
        Image.fromarray((pixels[0].permute(1, 2, 0).numpy() * 255).round().astype("uint8")).save(tmp_path / name)
    paths = f"LEFT, RIGHT = {str(tmp_path / 'left.png')!r}, {str(tmp_path / 'right.png')!r}\n"
    code = f"{paths}{blocks('docs/graphs.md', 'python')[0]}\nprint((matches >= 0).sum())"
    assert int(built.run("python", "-c", code).stdout) > 100


def test_the_engine_example_refuses_a_machine_that_cannot_run_it(built: Workspace) -> None:
    from enginewright.engine.gpu import find_gpu

    if find_gpu() is not None:
        pytest.skip("needs a machine without an NVIDIA GPU")
    example = next(code for code in blocks("README.md", "python") if "load_engine" in code)
    found = built.run("python", "-c", example, check=False)
    assert "RequirementError" in found.stderr
    assert "cannot run on this machine" in found.stderr
