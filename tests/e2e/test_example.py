"""The example beside a network's files alone, on the pipeline's pairs, against the pipeline's figures."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from enginewright.config.sections import DataConfig
from enginewright.images import load_pairs
from tests.e2e.test_docs import commands
from tests.e2e.workspace import ROOT, Workspace

NETWORKS = ("disk", "disk_lightglue")


@pytest.fixture
def taken(built: Workspace, tmp_path: Path) -> Path:
    """Return a folder with the script and, of each network, its record and its graph."""
    shutil.copy(ROOT / "examples" / "match_two_images.py", tmp_path)
    for network in NETWORKS:
        (tmp_path / network).mkdir()
        for name in ("engine.json", "typed.onnx"):
            shutil.copy(built.path / "weights" / network / name, tmp_path / network)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script as somebody who has nothing of the project, not even in the working folder."""
    networks = ("--extractor", NETWORKS[0], "--matcher", NETWORKS[1])
    command = [sys.executable, "-I", "match_two_images.py", *words, *networks]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def test_it_finds_as_many_matches_as_the_pipeline_measured(built: Workspace, taken: Path) -> None:
    count = 0
    for pair in load_pairs(DataConfig(), 512, 512):
        for side, image in zip(("left", "right"), pair.images, strict=True):
            Image.fromarray(image).save(taken / f"{side}.png")
        found = run(taken, "left.png", "right.png", "--picture", "matches.png")
        assert found.returncode == 0, found.stderr
        count += len(found.stdout.splitlines())
        assert "typed.onnx, no engine.plan here" in found.stderr
    assert count == built.json("metrics/disk_lightglue/match.json")["typed"]["matches"] > 1000
    with Image.open(taken / "matches.png") as picture:
        assert picture.size == (1024, 512)


def test_matches_are_in_pixels_of_the_files(taken: Path) -> None:
    """A rectified stereo pair matches in the same row, whatever size the network took them at."""
    from enginewright.images.scikit_image import data_folder

    names = [str(data_folder() / f"motorcycle_{side}.png") for side in ("left", "right")]
    rows = [[float(value) for value in line.split()] for line in run(taken, *names).stdout.splitlines()]
    assert len(rows) > 500
    assert max(row[0] for row in rows) > 512
    level = [row for row in rows if abs(row[1] - row[3]) < 2]
    assert len(level) > 0.95 * len(rows)


def test_a_graph_that_was_changed_is_refused(taken: Path) -> None:
    with (taken / "disk" / "typed.onnx").open("ab") as graph:
        graph.write(b"x")
    Image.new("RGB", (64, 64)).save(taken / "grey.png")
    found = run(taken, "grey.png", "grey.png")
    assert found.returncode == 1
    assert "is not the file that its engine.json describes" in found.stderr


def test_the_command_of_the_readme_runs(scratch: Workspace) -> None:
    for name in ("left.jpg", "right.jpg"):
        Image.effect_noise((200, 100), 50).convert("RGB").save(scratch.path / name)
    command = next(line for line in commands("README.md") if line.startswith("python examples/"))
    assert "matches" in scratch.run(*shlex.split(command)).stderr
    assert (scratch.path / "matches.png").is_file()
