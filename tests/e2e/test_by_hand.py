"""One stage by hand, with Hydra overrides."""

from __future__ import annotations

import onnx

from enginewright.graphs.walk import opset_of
from tests.e2e.workspace import Workspace


def test_a_stage_by_hand_writes_to_scratch_and_touches_nothing_tracked(small: Workspace) -> None:
    before = small.digests("weights/*/*") | small.digests("metrics/*/*")
    small.run("python", "-m", "stages.export", "network=disk", "export.opset=18")
    written = small.path / "scratch/export/weights/disk/exported.onnx"
    assert opset_of(onnx.load_model(written)) == 18
    assert small.digests("weights/*/*") | small.digests("metrics/*/*") == before
    assert small.run("git", "status", "--porcelain").stdout == ""


def test_a_stage_by_hand_takes_an_input_by_name(small: Workspace) -> None:
    path = "in.exported=weights/disk/typed.onnx"
    small.run("python", "-m", "stages.simplify", "network=disk", path, "simplify=none")
    assert (small.path / "scratch/simplify/weights/disk/simplified.onnx").stat().st_size > 1000


def test_a_stage_by_hand_refuses_what_does_not_fit(small: Workspace) -> None:
    for words, says in (
        (["network=dsk"], "dsk"),
        ([], "network=disk export.opset=18"),
        (["network=disk", "export.opset=24"], "16 to 23"),
    ):
        found = small.run("python", "-m", "stages.export", *words, check=False)
        assert found.returncode == 1
        assert says in found.stderr
        assert "Traceback" not in found.stderr
