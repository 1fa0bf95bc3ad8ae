"""The lines that are printed."""

from __future__ import annotations

from enginewright.explaining.changes import Case, Change, Kind, Outcome, roots
from enginewright.explaining.detail import detail
from enginewright.explaining.naming import matching, stages_in_words
from enginewright.explaining.overview import WIDTH, outcomes, overview

OPSET = {name: Change(Kind.parameter, f"networks.{name}.export.opset", "20 -> 18") for name in ("disk", "aliked")}
TOOL = Change(Kind.tool, "probe/simplifier.json: onnxsim", "1 -> 2")
CASES = {
    "export@disk": Case("export@disk", Outcome.runs, (OPSET["disk"],)),
    "export@aliked": Case("export@aliked", Outcome.restored, (OPSET["aliked"],)),
    "simplify@disk": Case("simplify@disk", Outcome.runs, (TOOL,), ("export@disk",)),
    "cast@disk": Case("cast@disk", Outcome.follows, (), ("simplify@disk", "export@disk")),
    "report": Case("report", Outcome.follows, (), ("cast@disk", "export@aliked")),
}


def test_a_cause_stands_before_all_that_follows_from_it() -> None:
    assert list(overview(CASES)) == [
        "networks.{disk,aliked}.export.opset 20 -> 18: export of disk, aliked; simplify, cast of disk; report",
        "probe/simplifier.json: onnxsim 1 -> 2: simplify, cast of disk; report",
    ]


def test_causes_of_the_same_stages_stand_together() -> None:
    more = tuple(Change(Kind.file, f"code/{name}.py", "added (1234567)") for name in "ab")
    assert list(overview({"cast@disk": Case("cast@disk", Outcome.runs, more)})) == [
        "code/a.py added (1234567)",
        "code/b.py added (1234567)",
        "    -> cast of disk",
    ]


def test_many_outputs_are_counted() -> None:
    lost = tuple(Change(Kind.output, f"weights/{name}", "missing") for name in "abcd")
    assert list(overview({"cast@disk": Case("cast@disk", Outcome.runs, lost)})) == [
        "4 outputs, weights/a the first, missing: cast of disk"
    ]


def test_the_same_key_of_one_network_with_another_value_is_another_cause() -> None:
    other = Change(Kind.parameter, "networks.aliked.export.opset", "20 -> 17")
    cases = {"export@disk": CASES["export@disk"], "export@aliked": Case("export@aliked", Outcome.runs, (other,))}
    assert [line.split(" ")[0] for line in overview(cases)] == [OPSET["disk"].what, other.what]


def test_what_becomes_of_the_stages() -> None:
    assert list(outcomes(CASES)) == [
        "runs: export, simplify of disk",
        "comes from the cache: export of aliked",
        "runs if what is before it writes other bytes: cast of disk; report",
    ]


def test_lines_fit_on_a_screen() -> None:
    long = Change(
        Kind.command, "command of cast", "with " + " ".join(f"name{i}=weights/disk/file{i}" for i in range(20))
    )
    lines = list(overview({"cast@disk": Case("cast@disk", Outcome.runs, (long,))}))
    assert len(lines) > 2
    assert max(map(len, lines)) <= WIDTH


def test_one_stage_is_followed_up_to_its_roots_each_told_once() -> None:
    assert list(detail(CASES, "cast@disk")) == [
        "cast@disk runs if what is before it writes other bytes:",
        "  upstream   simplify@disk: probe/simplifier.json: onnxsim 1 -> 2",
        "  upstream   export@disk: networks.disk.export.opset 20 -> 18",
    ]
    assert list(detail(CASES, "export@disk")) == [
        "export@disk runs:",
        "  parameter  networks.disk.export.opset 20 -> 18",
    ]
    assert set(roots(CASES, "report")) == {OPSET["aliked"], TOOL, OPSET["disk"]}


def test_names_of_stages() -> None:
    names = ["export@disk", "export@aliked", "match@aliked", "report"]
    assert stages_in_words(names) == "export of disk, aliked; match of aliked; report"
    assert matching("export", names) == ["export@disk", "export@aliked"]
    assert matching("match@aliked", names) == ["match@aliked"]
    assert matching("matc", names) == []
