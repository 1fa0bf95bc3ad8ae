"""The report as text, as JSON and as an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enginewright.artifacts import write_json
from enginewright.config.choices import Builder
from enginewright.errors import EnginewrightError, GraphError
from enginewright.preflight.report import IN_FP32, UNSIMPLIFIED, Blocker, Counts, Report, refuse_pending, report_of
from enginewright.verdicts import State, not_run

RTX = Builder.tensorrt_rtx


def blocker(*nodes: str, operator: str = "NonZero", message: str = "refused") -> Blocker:
    return Blocker(nodes, operator, message, "return a mask", "parser")


def test_a_report_without_blockers_passes() -> None:
    report = report_of(RTX, (), (), Counts(nodes=7, alone=3))
    assert report.verdict.state is State.passed
    assert str(report) == "preflight for tensorrt_rtx: passed, 7 nodes"
    report.refuse_blockers("a clean graph")


def test_blockers_that_differ_only_in_their_nodes_become_one() -> None:
    report = report_of(RTX, [blocker("a"), blocker("b", message="other"), blocker("c"), blocker("a")], (), Counts())
    assert [(item.nodes, item.message) for item in report.blockers] == [(("a", "c"), "refused"), (("b",), "other")]
    assert report.verdict.reason == "2 blockers"


def test_a_blocker_names_its_first_nodes_and_counts_the_rest() -> None:
    text = str(blocker(*"abcdefgh"))
    assert text.startswith("NonZero a, b, c, d, e and 3 more: refused (parser)")
    assert text.endswith("cure: return a mask")
    assert str(blocker("a")).startswith("NonZero a: refused")


def test_the_text_of_a_failed_report() -> None:
    report = report_of(RTX, [blocker("find")], ["something else", "something else"], Counts(9, 4, 1))
    assert str(report).splitlines() == [
        "preflight for tensorrt_rtx: failed, 1 blocker",
        "  NonZero find: refused (parser)",
        "    cure: return a mask",
        "  note: something else",
        "  note: 1 node could not be checked alone",
    ]


def test_the_error_lists_every_blocker_with_its_cure() -> None:
    report = report_of(RTX, [blocker("find"), blocker("top", operator="TopK")], (), Counts())
    with pytest.raises(GraphError) as caught:
        report.refuse_blockers("the exported graph of disk")
    assert caught.value.what == "tensorrt_rtx cannot build the exported graph of disk"
    assert str(caught.value).index("NonZero find") < str(caught.value).index("TopK top")
    assert str(caught.value).count("return a mask") == 2


def test_what_was_not_run_refuses_nothing() -> None:
    report = Report(Builder.tensorrt, not_run("no GPU"))
    report.refuse_blockers("an unknown graph")
    assert str(report) == "preflight for tensorrt: not_run, no GPU"
    assert report.as_metrics()["verdict"] == "not_run"


def written(folder: Path, pending: dict[str, tuple[Blocker, ...]]) -> Path:
    write_json(folder / "preflight.json", report_of(RTX, (), (), Counts(), pending).as_metrics())
    return folder / "preflight.json"


def test_what_depends_on_a_later_stage_is_refused_by_that_stage_alone(tmp_path: Path) -> None:
    path = written(tmp_path, {IN_FP32: (blocker("a"), blocker("b"), blocker("c", message="other"))})
    refuse_pending(path, UNSIMPLIFIED, "the graph of disk")
    with pytest.raises(GraphError) as caught:
        refuse_pending(path, IN_FP32, "the graph of disk")
    assert caught.value.what == "the builder cannot build the graph of disk in fp32"
    assert "2 blockers\n  NonZero a, b: refused (parser)\n    cure: return a mask" in str(caught.value.got)


def test_where_nothing_was_asked_or_found_nothing_is_refused(tmp_path: Path) -> None:
    refuse_pending(None, IN_FP32, "the graph of disk")
    refuse_pending(written(tmp_path, {IN_FP32: ()}), IN_FP32, "the graph of disk")
    write_json(tmp_path / "older.json", Report(RTX, not_run("no GPU")).as_metrics())
    refuse_pending(tmp_path / "older.json", IN_FP32, "the graph of disk")


def test_what_depends_on_a_later_stage_fails_no_report() -> None:
    report = report_of(RTX, (), (), Counts(), {UNSIMPLIFIED: (blocker("find"),)})
    assert report.verdict.state is State.passed
    assert list(report.as_metrics()["pending"]) == [UNSIMPLIFIED]


def test_the_metrics_are_plain_json_with_stable_keys_and_no_time() -> None:
    report = report_of(RTX, [blocker("find")], ["a note"], Counts(9, 4, 1))
    assert json.loads(json.dumps(report.as_metrics())) == {
        "verdict": "failed",
        "reason": "1 blocker",
        "blockers": [
            {"nodes": ["find"], "operator": "NonZero", "message": "refused", "cure": "return a mask", "by": "parser"}
        ],
        "pending": {},
        "notes": ["a note"],
        "nodes": 9,
        "alone": 4,
        "unchecked": 1,
    }


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"pending": 7}', '{"pending": {"fp32": [7]}}', '{"pending": {"fp32": [{"nodes": []}]}}',
     '{"pending": {"fp32": [{"nodes": null}]}}', '{"pending": {"fp32": {"a": 1}}}'],
)  # fmt: skip
def test_a_file_that_preflight_did_not_write_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "preflight.json").write_text(text)
    with pytest.raises(EnginewrightError, match=r"preflight\.json is"):
        refuse_pending(tmp_path / "preflight.json", IN_FP32, "the graph")
