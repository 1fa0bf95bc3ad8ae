from __future__ import annotations

from pathlib import Path

from enginewright.report.summary import summaries, summary_rows
from tests.report.sample import NO_GPU, NOT_RUN, metrics, written


def test_a_row_for_each_network(tmp_path: Path) -> None:
    disk, lightglue = summary_rows(written(tmp_path, metrics()))
    assert (disk.network, disk.precision) == ("disk", "fp32")
    assert (lightglue.network, lightglue.precision) == ("disk_lightglue", "fp16")
    assert [result.words for result in disk.results] == ["4e-05", "—", "48.2 MB, 1,835 layers", "not run"]
    assert [result.words for result in lightglue.results] == ["not run", "not run", "48.2 MB, 1,835 layers", "not run"]


def test_reasons_come_along() -> None:
    lightglue = summaries(metrics())[1]
    assert lightglue.matches.reason == NOT_RUN
    assert lightglue.on_gpu.reason == NO_GPU


def test_what_passed_says_how_much() -> None:
    values = metrics()
    match = values["disk_lightglue"]["match"]
    match["typed"] = match["engine"] = match["exported"]
    values["disk_lightglue"]["build"] |= {"verdict": "passed", "reason": ""}
    lightglue = summaries(values)[1]
    assert lightglue.matches.words == "1,351 of 1,351"
    assert lightglue.on_gpu.words == "1,351 matches kept"


def test_failure_is_said_before_its_figure() -> None:
    values = metrics()
    values["disk"]["compare"] |= {"verdict": "failed", "reason": "typed: keypoints max_abs"}
    values["disk"]["build"] |= {"verdict": "failed", "reason": "typed: keypoints max_abs"}
    disk = summaries(values)[0]
    assert disk.graphs.words == "failed (4e-05)"
    assert disk.on_gpu.words == "failed"


def test_graph_that_failed_is_not_hidden_by_a_later_one_that_passed() -> None:
    values = metrics()
    match = values["disk_lightglue"]["match"]
    match["typed"] = match["exported"]
    match["simplified"] |= {"verdict": "failed", "reason": "1350 of 1351 matches kept"}
    kept = summaries(values)[1].matches
    assert (kept.words, kept.reason) == ("failed (1,350 of 1,351)", "1350 of 1351 matches kept")


def test_engine_that_failed_is_not_excused_by_matches_that_were_not_run() -> None:
    values = metrics()
    values["disk_lightglue"]["build"] |= {"verdict": "failed", "reason": "scores max_abs"}
    assert summaries(values)[1].on_gpu.words == "failed"


def test_missing_metrics_are_no_result() -> None:
    (row,) = summaries({"disk": {}})
    assert [result.words for result in row.results] == ["no result", "—", "no result", "no result"]
    assert row.precision == "—"


def test_matches_that_were_not_run_show_no_number_of_an_earlier_graph() -> None:
    """The exported graph kept everything, but the typed one is what the engine is made from."""
    kept = summaries(metrics())[1].matches
    assert kept.state == "not_run"
    assert "1,351" not in kept.words


def test_engine_column_says_what_was_built_not_whether_it_ran() -> None:
    disk = summaries(metrics())[0]
    assert (disk.engine.state, disk.engine.reason) == ("done", "")
    assert disk.on_gpu.reason == "the engine was not executed: no NVIDIA GPU with a driver"


def test_match_without_an_engine_entry_is_no_result() -> None:
    values = metrics()
    del values["disk_lightglue"]["match"]["engine"]
    assert summaries(values)[1].on_gpu.words == "no result"


def test_extractors_engine_that_ran_is_passed() -> None:
    values = metrics()
    values["disk"]["build"] |= {"verdict": "passed", "reason": ""}
    assert summaries(values)[0].on_gpu.words == "passed"


def test_networks_come_in_alphabetical_order(tmp_path: Path) -> None:
    values = metrics()
    rows = summary_rows(written(tmp_path, {"zebra": values["disk"], "aliked": values["disk"]}))
    assert [row.network for row in rows] == ["aliked", "zebra"]
