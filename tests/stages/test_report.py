from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from enginewright.errors import DataError
from enginewright.stage import Stage
from stages.report import SECTIONS, main, run
from tests.report.sample import metrics, written


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "plots" / "disk_lightglue").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(tmp_path / "plots" / "disk_lightglue" / "a.png")
    inputs = {"metrics": written(tmp_path / "metrics", metrics()), "plots": tmp_path / "plots"}
    return Stage("", {name: {} for name in metrics()}, SECTIONS, inputs, {"report": tmp_path / "report" / "index.html"})


def test_main_writes_one_page(stage: Stage) -> None:
    main(stage)
    page = stage.outputs["report"].read_text(encoding="utf-8")
    assert page == run(stage.inputs["metrics"], stage.inputs["plots"])
    assert "disk_lightglue" in page
    assert [path.name for path in stage.outputs["report"].parent.iterdir()] == ["index.html"]


def test_changed_metrics_change_the_page(stage: Stage) -> None:
    before = run(stage.inputs["metrics"], stage.inputs["plots"])
    values = metrics()
    values["disk"]["build"]["layers"] = 4711
    written(stage.inputs["metrics"], values)
    assert "4,711 layers" in run(stage.inputs["metrics"], stage.inputs["plots"])
    assert "4,711 layers" not in before


def test_earlier_page_survives_broken_metrics(stage: Stage) -> None:
    main(stage)
    before = stage.outputs["report"].read_bytes()
    (stage.inputs["metrics"] / "disk" / "swap.json").write_text("{")
    with pytest.raises(DataError, match=r"swap\.json"):
        main(stage)
    assert stage.outputs["report"].read_bytes() == before


def test_networks_of_earlier_runs_are_left_out(stage: Stage) -> None:
    names = sorted(metrics())
    assert len(names) > 1
    page = run(stage.inputs["metrics"], stage.inputs["plots"], names[:1])
    assert f">{names[0]}<" in page
    assert f">{names[1]}<" not in page
