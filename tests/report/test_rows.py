from __future__ import annotations

import pytest

from enginewright.report.rows import (
    COMPARE_COLUMNS,
    MATCH_COLUMNS,
    compare_rows,
    largest_error,
    match_rows,
    stage_rows,
)
from tests.report.sample import NO_GPU, NOT_RUN, metrics

DISK, LIGHTGLUE = metrics()["disk"], metrics()["disk_lightglue"]


def test_a_row_for_each_stage_with_its_state() -> None:
    rows = {row.name: row for row in stage_rows(LIGHTGLUE)}
    assert list(rows) == ["swap", "export", "simplify", "cast", "compare", "build", "match"]
    assert [row.words for row in rows.values()] == ["done"] * 4 + ["not run"] * 3
    assert rows["match"].reason == f"typed: {NOT_RUN}; engine: {NO_GPU}"


def test_key_figures_are_there() -> None:
    cells = {row.name: " | ".join(row.cells) for row in stage_rows(LIGHTGLUE)}
    assert cells["swap"] == "18 layers swapped | outputs differ by 1.5e-06 at most"
    assert cells["export"] == "opset 20 | 770 nodes | 18 LayerNormalization | 46.3 MB"
    assert cells["simplify"] == "770 to 798 nodes | kept: exported"
    assert cells["cast"] == "fp16 | 0 casts | 0 nodes kept in fp32"
    assert cells["compare"] == "largest error 7e-06"
    assert cells["build"] == "48.2 MB | 1,835 layers | 4.6 s | 612 MB of memory at most"
    assert cells["match"] == "1,351 matches of the original | 99.9 % kept by every artifact that ran"


def test_extractor_has_no_match_row_and_that_is_no_gap() -> None:
    assert [row.name for row in stage_rows(DISK)][-1] == "build"
    assert all(row.state != "missing" for row in stage_rows(DISK))


def test_stage_without_metrics_is_a_visible_gap() -> None:
    rows = {row.name: row for row in stage_rows({"swap": DISK["swap"]})}
    assert rows["build"].words == "no result"
    assert rows["build"].reason


@pytest.mark.parametrize("stage", list(LIGHTGLUE))
def test_metrics_that_lack_every_key_make_a_row_of_dashes(stage: str) -> None:
    (row,) = [row for row in stage_rows({stage: {}}) if row.name == stage]
    assert row.state == "done"
    assert row.cells


def test_match_rows_are_the_original_then_the_artifacts() -> None:
    rows = match_rows(LIGHTGLUE["match"])
    assert [row.name for row in rows] == ["original", "exported", "simplified", "typed", "engine"]
    assert all(len(row.cells) == len(MATCH_COLUMNS) for row in rows)
    figures = dict(zip(MATCH_COLUMNS, rows[2].cells, strict=True))
    assert figures["in common"] == "1,350"
    assert figures["kept"] == "99.9 %"
    assert figures["within 3 px"] == "91.0 %"


def test_artifact_that_was_not_run_has_no_numbers() -> None:
    typed = match_rows(LIGHTGLUE["match"])[3]
    assert (typed.words, typed.reason) == ("not run", NOT_RUN)
    assert set(typed.cells) == {"—"}


def test_compare_rows_are_outputs_of_artifacts() -> None:
    rows = compare_rows(DISK["compare"])
    assert [(row.name, row.cells[0]) for row in rows] == [
        (artifact, output)
        for artifact in ("exported", "simplified", "typed")
        for output in ("keypoints", "descriptors")
    ]
    assert all(len(row.cells) == len(COMPARE_COLUMNS) for row in rows)


def test_compare_row_of_an_artifact_that_was_not_run() -> None:
    typed = compare_rows(LIGHTGLUE["compare"])[-1]
    assert (typed.name, typed.words, set(typed.cells)) == ("typed", "not run", {"—"})


def test_artifact_that_this_page_does_not_know_is_shown_too() -> None:
    rows = match_rows({**LIGHTGLUE["match"], "engine_fp8": {"matches": 3, "verdict": "failed", "reason": "x"}})
    assert (rows[-1].name, rows[-1].words, rows[-1].cells[0]) == ("engine_fp8", "failed", "3")


def test_largest_error_is_over_everything() -> None:
    assert largest_error(DISK["compare"]) == 4e-05
    assert largest_error({"verdict": "not_run", "reason": "x"}) is None
