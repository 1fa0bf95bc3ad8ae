from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import DataError
from enginewright.pages.files import FolderFiles
from enginewright.pages.pipelines import pipelines_among, pipelines_of
from enginewright.pages.run import Run, run_of
from tests.pages.sample import Repository, params, run_files


@pytest.fixture
def run(tmp_path: Path) -> Run:
    repository = Repository(tmp_path)
    repository.commit(params("fp16"), {})
    repository.check_out(run_files("fp16"))
    return run_of("mine", FolderFiles(tmp_path))


def test_a_run_has_what_its_stages_wrote(run: Run) -> None:
    assert list(run.metrics) == ["disk", "disk_lightglue"]
    assert run.metrics["disk_lightglue"]["cast"]["precision"] == "fp16"
    assert run.records["disk"]["status"] == "unproven"
    assert len(run.ranges("disk")) == 3
    assert {row["series"] for row in run.curves("disk")} == {"exported scores", "typed scores"}
    assert run.pictures("disk_lightglue") == ["plots/disk_lightglue/matches/motorcycle.png"]
    assert run.pictures("disk") == []


def test_networks_of_earlier_runs_that_still_lie_there_are_not_of_this_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "metrics" / "zebra").mkdir()
    (tmp_path / "metrics" / "zebra" / "swap.json").write_text("{}")
    assert list(run_of("mine", FolderFiles(tmp_path)).metrics) == ["disk", "disk_lightglue"]
    (tmp_path / "params.yaml").unlink()
    assert "zebra" in run_of("mine", FolderFiles(tmp_path)).metrics


@pytest.mark.parametrize(("text", "words"), [("{", "is no JSON"), ("[1]", "holds no JSON object")])
def test_broken_metrics_are_named(run: Run, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "metrics" / "disk" / "swap.json").write_text(text)
    with pytest.raises(DataError, match=words):
        run_of("mine", FolderFiles(tmp_path))


def test_a_matcher_is_a_pipeline_with_its_extractor(run: Run) -> None:
    assert pipelines_of(run) == {"disk_lightglue": ("disk", "disk_lightglue")}


def test_networks_without_a_matcher_stand_alone(run: Run) -> None:
    alone = Run("x", run.files, {"networks": {}}, {"disk": {}, "aliked": {}})
    assert pipelines_of(alone) == {"disk": ("disk",), "aliked": ("aliked",)}


def test_a_merged_graph_is_a_pipeline_of_its_own(run: Run) -> None:
    values = {"matchers": {"disk_merged": {"extractor": "disk", "features": "disk_merged"}}}
    assert pipelines_of(Run("x", run.files, values, {"disk_merged": {}, "disk": {}})) == {
        "disk_merged": ("disk_merged",)
    }


def test_a_failed_run_is_counted_under_the_pipelines_of_the_others(run: Run) -> None:
    failed = Run("failed", run.files, {}, {"disk": {}})
    assert pipelines_among([failed, run]) == {"disk_lightglue": ("disk", "disk_lightglue")}
    assert pipelines_among([failed]) == {"disk": ("disk",)}
    assert pipelines_among([]) == {}
