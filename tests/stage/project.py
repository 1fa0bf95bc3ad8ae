"""A project in a temporary folder, as DVC would start a stage in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from enginewright.config.composed import composed, params_text
from tests.config.routes import CONF, ROOT


@cache
def composed_text(*overrides: str) -> str:
    """Return the params.yaml of these overrides."""
    return params_text(composed(list(overrides)))


def project(folder: Path, *overrides: str) -> Path:
    """Return `folder` with its own conf/, the params.yaml composed from it, and dvc.yaml."""
    shutil.copytree(CONF, folder / "conf")
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / "params.yaml").write_text(composed_text(*overrides), encoding="utf-8")
    return folder


def run_module(folder: Path, module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` in `folder`, with this checkout's code."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        check=False,
        capture_output=True,
        text=True,
    )


def files_below(folder: Path) -> set[str]:
    """Return the paths of all files below `folder`, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
