"""A slice of `make torture`, and that it can fail."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dag import ROOT
from tests.torture.cases import Case
from tests.torture.scenes import OLD, Point, Scene
from tests.torture.stage_kills import Plan, cases, chosen

SLICE = ("--small", "--only", "stages", "--kills", "16", "--refusals", "4", "--jobs", "1")


def test_a_slice_keeps_every_promise() -> None:
    command = [sys.executable, "-m", "tests.torture", *SLICE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = re.findall(r"^all +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout, flags=re.MULTILINE)
    assert cells[0][0] == cells[0][2] == "20"
    assert int(cells[0][1]) >= 14, "processes were killed"


POINTS = [(name, by_child) for name in ("begin", "half", "renamed") for by_child in (False, True)]
LEARNED = {
    stage: ([Point(stage, name, "x", by_child) for name, by_child in POINTS], 1.0)
    for stage in ("adopt@foreign", "report")
}


def test_the_same_seed_gives_the_same_cases_and_every_point_is_among_them() -> None:
    plan = Plan(seed=1, kills=30, refusals=3)
    found = cases(LEARNED, plan)
    assert found == cases(LEARNED, plan)
    assert found != cases(LEARNED, replace(plan, seed=2))
    killed = {(case.stage, case.point, case.by_child, case.action) for case in found if case.point}
    assert len([case for case in found if case.action in ("kill", "stop")]) == 30
    assert {
        ("report", "half", False, "kill"),
        ("report", "half", True, "kill"),
        ("report", "half", True, "stop"),
    } <= killed


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return a scene whose output should be `new`."""
    made = Scene("adopt@foreign", tmp_path, (), {"typed": tmp_path / "typed.onnx", "pictures": tmp_path / "matches"})
    (tmp_path / "typed.onnx").write_bytes(b"new")
    (tmp_path / "matches").mkdir()
    (tmp_path / "matches" / "a.png").write_bytes(b"new")
    from tests.torture.scenes import digest_of

    made.expected.update({name: digest_of(path) for name, path in made.outputs.items()})
    return made


def test_whole_old_and_new_outputs_are_right(scene: Scene) -> None:
    assert scene.wrong(may_be_missing=False) == scene.different() == scene.litter() == []
    scene.reset(old=True)
    assert scene.wrong(may_be_missing=False) == []
    assert (scene.folder / "typed.onnx").read_bytes() == OLD
    assert len(scene.different()) == 2
    scene.reset(old=False)
    assert scene.wrong(may_be_missing=True) == []
    assert len(scene.wrong(may_be_missing=False)) == 2


def test_half_an_output_is_found(scene: Scene) -> None:
    (scene.folder / "typed.onnx").write_bytes(b"ne")
    (scene.folder / "matches" / "b.png").write_bytes(b"more")
    assert len(scene.wrong(may_be_missing=True)) == 2


def test_litter_is_found(scene: Scene) -> None:
    (scene.folder / ".typed.onnx.x.tmp").touch()
    (scene.folder / "matches" / ".a.png.x.tmp").touch()
    assert len(scene.litter()) == 2
    assert scene.different() == [], "DVC leaves such files out"


def test_a_case_tells_how_to_do_it_again() -> None:
    assert str(Case("report", "kill", "half", "index.html", old=True)) == "report kill half:index.html old"
    assert Case("report", "kill", "half", "index.html").fault == "half:index.html:kill"


def test_one_stage_of_each_kind_is_tried_a_new_kind_too() -> None:
    names = ["probe", "swap@cells_nearest", "swap@cells", "build@cells", "build@foreign", "new@cells", "report"]
    assert chosen(names) == ["probe", "swap@cells", "build@foreign", "new@cells", "report"]
