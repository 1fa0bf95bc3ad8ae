"""docs/transformers.md, built from the page: a transformer of Hugging Face, its weights from another package."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path

import pytest

from tests.e2e.test_docs import blocks, commands
from tests.e2e.workspace import Workspace

PAGE = "docs/transformers.md"

WITHOUT_TORCHVISION = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, path=None, target=None: None if name == "torchvision" else find(name, path, target)
)
"""
"""A sitecustomize.py. transformers would import the tests' torchvision, which is made for a torch with CUDA."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a checkout with the page's two files."""
    space = Workspace.copied_to(tmp_path_factory.mktemp("transformer"))
    (space.path / "networks/albert.py").write_text(blocks(PAGE, "python")[0], encoding="utf-8")
    (space.path / "conf/network/rxnmapper.yaml").write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")
    space.commit("albert")
    return space


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for PYTHONPATH in which torchvision does not exist."""
    folder = tmp_path_factory.mktemp("hiding")
    (folder / "sitecustomize.py").write_text(WITHOUT_TORCHVISION, encoding="utf-8")
    return folder


def test_the_adapter_is_short_and_is_all() -> None:
    assert len(blocks(PAGE, "python")[0].splitlines()) <= 40


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="needs the package transformers")
def test_the_transformer_goes_to_an_engine(page: Workspace, hiding: Path) -> None:
    command = next(line for line in commands(PAGE) if line.startswith("dvc"))
    page.run(*shlex.split(command), PYTHONPATH=str(hiding))
    assert page.json("metrics/rxnmapper/export.json")["layernorm_ops"] == 26, (
        "four layers, of which two run twelve times"
    )
    assert page.json("metrics/rxnmapper/compare.json")["verdict"] == "passed"
    assert (page.path / "weights/rxnmapper/engine.plan").stat().st_size > 1e6
    assert not (page.path / "metrics/rxnmapper/match.json").exists()
    assert "transformers" in page.json("probe/adapter_albert.json")


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="needs the package transformers")
def test_its_other_layernorm_form_is_proven_too(page: Workspace, hiding: Path) -> None:
    command = next(line for line in commands(PAGE) if line.startswith("dvc"))
    page.run(*shlex.split(f"{command} -S layernorm=decomposed"), PYTHONPATH=str(hiding))
    assert page.json("metrics/rxnmapper/swap.json")["layers_swapped"] == 4
    assert page.json("metrics/rxnmapper/export.json")["layernorm_ops"] == 0
    assert page.json("metrics/rxnmapper/compare.json")["verdict"] == "passed"


def test_an_adapter_whose_package_is_missing_is_told_as_such(page: Workspace, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_TORCHVISION.replace("torchvision", "transformers"))
    command = next(line for line in commands(PAGE) if line.startswith("dvc"))
    found = page.run(
        *shlex.split(f"{command} -S networks.rxnmapper.model.batch=2"), check=False, PYTHONPATH=str(tmp_path)
    )
    assert found.returncode != 0
    assert "transformers" in found.stderr + found.stdout
    assert "cure" in found.stderr + found.stdout
