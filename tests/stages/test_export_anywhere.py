"""The export stage writes the same bytes wherever the project lies, in whatever process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import enginewright
from enginewright.artifacts import sha256_of
from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from enginewright.graphs.files import graph_bytes
from stages.export import run
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import checkpoint_of, registered

ROOT = Path(enginewright.__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


ELSEWHERE = """
import sys
from pathlib import Path

import networks
from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from enginewright.graphs.files import save_graph
from networks.tiny import TinyAdapter, TinyModel
from stages import export

root, checkpoint, target = (Path(argument) for argument in sys.argv[1:])
for module in (export, networks, sys.modules["enginewright.graphs.files"], sys.modules["networks.tiny"]):
    assert Path(module.__file__).is_relative_to(root), module
networks.network("tiny")(TinyAdapter)
for exporter in Exporter:
    for opset in (17, 20):
        graph = export.run(TinyModel(), Form.native, ExportConfig(exporter, opset), checkpoint)
        save_graph(target / f"{exporter.name}_{opset}.onnx", graph)
"""


def export_elsewhere(root: Path, cwd: Path, checkpoint: Path, seed: str) -> dict[str, str]:
    """Return the digests of what a copy of the project in `root` exports, in a process of its own."""
    for package in ("enginewright", "networks", "stages"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "stages" / "tiny.py", root / "networks" / "tiny.py")
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONHASHSEED": seed}
    arguments = [str(root), str(checkpoint), str(root)]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *arguments], check=True, cwd=cwd, env=environment, timeout=300)
    digests = {path.name: sha256_of(path) for path in root.glob("*.onnx")}
    assert len(set(digests.values())) == 4
    return digests


def test_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    checkpoint = checkpoint_of(TinyModel(), tmp_path / "checkpoint.safetensors")
    near, far, nowhere = tmp_path / "a", tmp_path / "b" / "much deeper" / ("x" * 80), tmp_path / "nowhere"
    for folder in (near, far, nowhere):
        folder.mkdir(parents=True)
    first = export_elsewhere(near, near, checkpoint, seed="1")
    moved = shutil.copy(checkpoint, far / "weights.safetensors")
    assert export_elsewhere(far, nowhere, Path(moved), seed="20261122") == first
    for exporter in Exporter:
        here = run(TinyModel(), Form.native, ExportConfig(exporter, 20), checkpoint)
        assert graph_bytes(here) == (near / f"{exporter.name}_20.onnx").read_bytes()
