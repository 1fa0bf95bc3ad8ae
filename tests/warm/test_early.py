"""A stage that DVC runs is handed over before its own file is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from enginewright.warm.early import NEEDS
from tests.dag import ROOT
from tests.warm.test_warm import Owner, pytestmark  # noqa: F401 - the mark is for this module too

PACKAGE = """
    from enginewright.warm import early
    early.NEEDS = {"work": ("colorsys",)}
    early.hand_over_early()
"""

WORK = """
    import os, sys
    print(__name__, "colorsys" in sys.modules, *sys.argv[1:], flush=True)
    if "fail" in sys.argv:
        sys.exit(4)
"""


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    """Return an owner whose folder has a package `stages` with one stage of its own."""
    package = tmp_path / "stages"
    package.mkdir()
    for name, text in (("__init__", PACKAGE), ("work", WORK), ("other", WORK)):
        (package / f"{name}.py").write_text("\n".join(line[4:] for line in text.splitlines()))
    return Owner(tmp_path)


def test_a_stage_runs_in_the_server_with_its_arguments(owner: Owner) -> None:
    assert owner.run("stages.work --network disk") == ["__main__ True --network disk", "0"]


def test_its_exit_status_is_kept_and_it_runs_once(owner: Owner) -> None:
    assert owner.run("stages.work fail") == ["__main__ True fail", "4"]


def test_a_stage_that_is_not_listed_runs_by_itself(owner: Owner) -> None:
    assert owner.run("stages.other") == ["__main__ False", "0"]


def test_without_dvc_a_stage_runs_by_itself(owner: Owner) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stages.work"]
    done = subprocess.run(command, cwd=owner.folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "__main__ False\n"


def test_to_import_the_stages_hands_nothing_over(owner: Owner) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_STAGE": "work"}
    command = [sys.executable, "-c", "import stages.work"]
    done = subprocess.run(command, cwd=owner.folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "stages.work False\n"


def test_every_name_is_a_stage() -> None:
    stages = {path.stem for path in (ROOT / "stages").glob("*.py")}
    assert set(NEEDS) <= stages
    assert stages - set(NEEDS) == {"__init__", "probe", "export"}


@pytest.mark.parametrize("stage", sorted(NEEDS))
def test_a_stage_imports_what_is_imported_for_it(stage: str) -> None:
    """What no line of the project imports would be time lost in every run."""
    code = "\n".join(path.read_text() for path in (ROOT / "enginewright").rglob("*.py"))
    for package in NEEDS[stage]:
        parent, _, child = package.rpartition(".")
        assert f"import {package}" in code or f"from {package}" in code or f"from {parent} import {child}" in code


FORK = """
import importlib, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
if not (child := os.fork()):
    sys.exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_fork_with_all_of_these_packages_ends_in_order() -> None:
    """ONNX Runtime's does not: it waits for a thread that a fork has not."""
    packages = sorted({package for needs in NEEDS.values() for package in needs})
    subprocess.run([sys.executable, "-c", FORK, *packages], check=True, timeout=60)
