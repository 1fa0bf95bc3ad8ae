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


def test_compare_rows_have_the_verdict_of_their_artifact_also_where_it_was_not_run() -> None:
    rows = compare_rows(LIGHTGLUE["compare"])
    assert [(row.name, row.words, row.cells[0]) for row in rows] == [
        ("exported", "passed", "scores"),
        ("typed", "not run", "—"),
    ]
    assert {row.words for row in compare_rows(DISK["compare"])} == {"passed"}


def test_artifact_that_this_page_does_not_know_is_shown_too() -> None:
    rows = match_rows({**LIGHTGLUE["match"], "engine_fp8": {"matches": 3, "verdict": "failed", "reason": "x"}})
    assert (rows[-1].name, rows[-1].words, rows[-1].cells[0]) == ("engine_fp8", "failed", "3")


def test_largest_error_is_over_everything() -> None:
    assert largest_error(DISK["compare"]) == 4e-05
    assert largest_error({"verdict": "not_run", "reason": "x"}) is None


def test_failed_stage_keeps_its_figures_and_its_reason() -> None:
    failing = {**LIGHTGLUE["match"], "verdict": "failed", "reason": "simplified: 1350 of 1351 matches kept"}
    row = stage_rows({"match": failing})[-1]
    assert (row.state, row.words) == ("failed", "failed")
    assert row.reason.startswith("simplified")
    assert row.cells[0] == "1,351 matches of the original"


def test_match_that_nothing_ran_for_claims_nothing() -> None:
    nothing = {"original": {"matches": 5}, "typed": {"verdict": "not_run", "reason": NOT_RUN}}
    row = stage_rows({"match": nothing})[-1]
    assert row.cells == ("5 matches of the original", "— kept by every artifact that ran")


def test_worst_artifact_decides_what_every_artifact_kept() -> None:
    match = {**LIGHTGLUE["match"], "engine": {"common_ratio": 0.5, "verdict": "failed", "reason": "x"}}
    assert stage_rows({"match": match})[-1].cells[1] == "50.0 % kept by every artifact that ran"


def test_unknown_verdict_is_not_taken_for_a_pass() -> None:
    (row, *_) = compare_rows({"exported": {"scores": {"max_abs": 1.0}}, "verdicts": {"exported": "splendid"}})
    assert row.state == "done"


def test_compare_without_verdicts_of_artifacts_has_rows_all_the_same() -> None:
    (row,) = compare_rows({"exported": {"scores": {"max_abs": 1.0}}, "verdict": "passed", "reason": ""})
    assert (row.name, row.words, row.cells[:2]) == ("exported", "done", ("scores", "1"))


def test_no_metrics_have_no_rows() -> None:
    assert match_rows({}) == []
    assert compare_rows({}) == []


@pytest.mark.parametrize("values", [{}, {"max_abs": 2.0}, {"cosine": 0.5}])
def test_outputs_that_lack_keys_have_dashes(values: dict[str, float]) -> None:
    (row,) = compare_rows({"exported": {"scores": values}})
    assert row.cells.count("—") == len(COMPARE_COLUMNS) - 1 - len(values)


@pytest.mark.parametrize(("stage", "row"), [("export", 1), ("cast", 3), ("build", 5)])
def test_rows_stand_in_pipeline_order_whatever_the_order_of_files(stage: str, row: int) -> None:
    shuffled = dict(sorted(LIGHTGLUE.items(), reverse=True))
    assert stage_rows(shuffled)[row].name == stage


def test_a_rehearsal_is_a_row_of_its_own_and_no_error_of_a_graph() -> None:
    metrics = {
        "typed": {"y": {"max_abs": 1e-3}},
        "rehearsed": {"y": {"max_abs": 0.5, "mean_abs": 0.1, "p99_abs": 0.4, "cosine": 0.9}},
        "ranges": {"tensors": 776, "faulty": 3, "drowned": 1, "over_max": 49.2, "noise_max": 0.01},
        "verdicts": {"typed": "not_run", "rehearsed": "failed", "ranges": "failed"},
        "verdict": "failed",
        "reason": "why",
    }
    assert largest_error(metrics) == 1e-3
    rows = {row.name: row for row in compare_rows(metrics)}
    assert list(rows) == ["typed", "rehearsed", "ranges"]
    assert (rows["rehearsed"].state, rows["rehearsed"].cells[1]) == ("failed", "0.5")
    figures = next(row.cells for row in stage_rows({"compare": metrics}) if row.name == "compare")
    assert "3 of 776 reduced tensors out of range" in figures
