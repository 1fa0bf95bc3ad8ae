from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import DataError
from enginewright.report.collect import STAGES, collect
from tests.report.sample import metrics, written


def test_what_was_written_is_collected_in_pipeline_order(tmp_path: Path) -> None:
    found = collect(written(tmp_path, metrics()))
    assert found == metrics()
    assert list(found["disk_lightglue"]) == list(STAGES)


def test_unknown_files_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, metrics())
    (tmp_path / "disk" / "notes.json").write_text("not JSON")
    (tmp_path / "readme.txt").write_text("hello")
    assert collect(tmp_path) == metrics()


@pytest.mark.parametrize("make", [True, False])
def test_no_metrics_at_all_is_an_error(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "metrics"
    if make:
        folder.mkdir()
    with pytest.raises(DataError, match="holds no metrics"):
        collect(folder)


@pytest.mark.parametrize("text", ["", '{"opset": 2', "[1, 2]", "7"])
def test_broken_file_is_named(tmp_path: Path, text: str) -> None:
    written(tmp_path, metrics())
    (tmp_path / "disk" / "export.json").write_text(text)
    with pytest.raises(DataError, match=r"export\.json"):
        collect(tmp_path)
