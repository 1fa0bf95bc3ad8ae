"""The main job on real weights, as `make repro` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.workspace import Workspace

NETWORKS = ("disk", "disk_lightglue")
STAGES = ("swap", "export", "simplify", "cast", "compare", "build")


@pytest.mark.parametrize("network", NETWORKS)
def test_every_artifact_and_metric_is_there(built: Workspace, network: str) -> None:
    folder = built.path / "weights" / network
    names = {path.name for path in folder.iterdir()} - {".gitignore"}
    assert names == {
        "checkpoint.safetensors", "reference.npz", "exported.onnx", "simplified.onnx", "typed.onnx",
        "engine.plan", "engine.json", "engine.intoto.json",
    }  # fmt: skip
    assert all((built.path / "metrics" / network / f"{stage}.json").stat().st_size for stage in STAGES)
    assert built.json(f"metrics/{network}/compare.json")["verdict"] == "passed"


def test_engines_are_built_and_not_called_proven_without_a_gpu(built: Workspace) -> None:
    from enginewright.engine.gpu import find_gpu

    for network in NETWORKS:
        record = built.json(f"weights/{network}/engine.json")
        build = built.json(f"metrics/{network}/build.json")
        engine = built.digests(f"weights/{network}/engine.plan")
        assert record["engine"]["sha256"] == engine[f"weights/{network}/engine.plan"]
        if find_gpu() is None:
            assert (record["status"], build["verdict"]) == ("graph_proven", "not_run")
            assert "GPU" in build["reason"]


def test_every_graph_keeps_every_match(built: Workspace) -> None:
    match = built.json("metrics/disk_lightglue/match.json")
    for artifact in ("exported", "simplified", "typed"):
        found = match[artifact]
        assert found["verdict"] == "passed"
        assert found["common"] == match["original"]["matches"] > 1000
        assert found["keypoint_px_max"] <= 1e-3
        assert found["descriptor_cosine_min"] >= 0.99999
        assert found["precision_3px"] > 0.9


def test_pictures_and_report_are_there(built: Workspace) -> None:
    pictures = sorted(path.name for path in (built.path / "plots/disk_lightglue/matches").iterdir())
    assert pictures == ["astronaut.png", "brick.png", "coffee.png", "motorcycle.png"]
    page = (built.path / "report/index.html").read_text(encoding="utf-8")
    assert all(network in page for network in NETWORKS)


def test_a_second_run_runs_nothing_but_the_probe(built: Workspace) -> None:
    assert built.repro() == ["probe"]
    assert built.run("git", "status", "--porcelain").stdout == ""


def test_another_folder_gives_the_same_onnx_bytes(built: Workspace, tmp_path: Path) -> None:
    other = Workspace.copied_to(tmp_path / "a" / "deeper" / "folder with spaces")
    other.repro("cast")
    assert len(other.digests("weights/*/*.onnx")) == 6
    assert other.digests("weights/*/*.onnx") == built.digests("weights/*/*.onnx")


def test_results_read_as_a_table(built: Workspace) -> None:
    table = built.run("python", "-m", "enginewright.report.table").stdout
    lines = table.splitlines()
    assert len([line for line in lines if line.startswith("| disk")]) == 2
    assert "not run" in table
