"""Extractor and matcher as two engines and as one, from one configuration."""

from __future__ import annotations

from tests.e2e.workspace import Workspace

ONE_GRAPH = ("-S", "network=[disk,disk_lightglue,disk_merged]", "-S", "networks.disk.model.batch=2")


def test_images_in_and_matches_out_keep_every_match_of_the_original(scratch: Workspace) -> None:
    scratch.run("dvc", "exp", "run", *ONE_GRAPH)
    matched = scratch.json("metrics/disk_merged/match.json")
    assert matched["original"]["matches"] > 0
    for artifact in ("exported", "simplified", "typed"):
        assert matched[artifact]["verdict"] == "passed"
        assert matched[artifact]["common"] == matched[artifact]["matches"] == matched["original"]["matches"]
    assert matched["original"] == scratch.json("metrics/disk_lightglue/match.json")["original"]
    assert scratch.json("metrics/disk_merged/compare.json")["verdict"] == "passed"
    outputs = scratch.json("weights/disk_merged/engine.json")["outputs"]
    assert [row["name"] for row in outputs] == ["keypoints", "valid", "matches", "mscores"]
    assert "disk_merged" in (scratch.path / "report/index.html").read_text(encoding="utf-8")


def test_an_extractor_that_takes_one_image_at_a_time_is_refused_with_the_cure(small: Workspace) -> None:
    words = ("--output", "scratch/params.yaml", "network=[disk,disk_lightglue,disk_merged]")
    found = small.run("python", "-m", "enginewright.config.compose", *words, check=False)
    assert found.returncode == 1
    assert "set networks.disk.model.batch=2" in found.stderr


def test_a_merged_graph_has_no_open_axes(small: Workspace) -> None:
    words = ("network=[disk,disk_lightglue,disk_merged]", "networks.disk.model.batch=2")
    opened = "networks.disk_merged.export.dynamic=true"
    found = small.run("python", "-m", "enginewright.config.compose", "--check", *words, opened, check=False)
    assert found.returncode == 1
    assert "is a merged graph, which is static" in found.stderr or "has no effect" in found.stderr


def test_a_stage_by_hand_says_which_stages_a_merged_network_has(small: Workspace) -> None:
    found = small.run(
        "python", "-m", "stages.export", "network=disk_merged", "networks.disk.model.batch=2", check=False
    )
    assert found.returncode == 1
    assert "export is no stage of disk_merged" in found.stderr
