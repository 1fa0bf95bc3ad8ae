"""What is foreseen, against what `dvc repro` then does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enginewright.explaining.changes import Cases, Outcome
from tests.explaining.tiny import PARAMS, PIPELINE, SECOND, Tiny


def told(cases: Cases, stage: str) -> list[str]:
    return [f"{change.kind.value}: {change}" for change in cases[stage].changes]


def becoming(cases: Cases, outcome: Outcome) -> set[str]:
    return {name for name, case in cases.items() if case.outcome is outcome}


def opset(tiny: Tiny) -> None:
    tiny.write("params.yaml", PARAMS.replace("17", "18") + SECOND)


def code(tiny: Tiny) -> None:
    tiny.write("code/export/b.py", "otherwise")
    tiny.write("code/export/c.py", "third")
    (tiny.path / "code/export/a.py").write_text("another first")


def removed(tiny: Tiny) -> None:
    (tiny.path / "code/export/b.py").unlink()


def tool(tiny: Tiny) -> None:
    tiny.write("probe/exporter.json", '{"onnx": "1.20.0", "torch": "2.13.0"}')


def edited(tiny: Tiny) -> None:
    tiny.write("weights/disk/typed", "by hand")
    (tiny.path / "metrics/lightglue/cast.json").unlink()


def command(tiny: Tiny) -> None:
    tiny.write("dvc.yaml", PIPELINE.replace("constant", "another"))


def network(tiny: Tiny) -> None:
    tiny.write("params.yaml", PARAMS + SECOND + SECOND.replace("lightglue", "aliked"))


def back(tiny: Tiny) -> None:
    opset(tiny)
    tiny.repro()
    tiny.write("params.yaml", PARAMS + SECOND)


def back_and_edited(tiny: Tiny) -> None:
    back(tiny)
    edited(tiny)


def lost(tiny: Tiny) -> None:
    tiny.run("rm", "-rf", ".dvc/cache", "weights/disk")


def alone(tiny: Tiny) -> None:
    opset(tiny)
    tiny.run("dvc", "repro", "-s", "export@disk")


def nothing(tiny: Tiny) -> None:
    tiny.write("unread.txt", "no stage reads it")


@pytest.mark.parametrize(
    "change", [opset, code, removed, tool, edited, command, network, back, back_and_edited, lost, alone, nothing]
)
def test_dvc_does_what_was_foreseen(tiny: Tiny, change: Callable[[Tiny], None]) -> None:
    change(tiny)
    before = tiny.run("git", "status", "--porcelain")
    cases = tiny.cases()
    assert tiny.run("git", "status", "--porcelain") == before, "asking changed something"
    ran, restored = tiny.repro()
    assert becoming(cases, Outcome.runs) <= ran
    assert ran <= becoming(cases, Outcome.runs) | becoming(cases, Outcome.follows)
    assert restored == becoming(cases, Outcome.restored) | (restored & becoming(cases, Outcome.follows))
    assert tiny.cases() == {}


def test_a_parameter_is_told_from_old_to_new_and_what_follows(tiny: Tiny) -> None:
    opset(tiny)
    cases = tiny.cases()
    assert list(cases) == ["export@disk", "cast@disk", "rank@disk", "report"]
    # The opset is in the command too, and DVC runs the stage for either.
    assert told(cases, "export@disk") == [
        "command: command of export without 17, with 18",
        "parameter: networks.disk.export.opset 17 -> 18",
    ]
    assert cases["cast@disk"].changes == ()
    assert cases["cast@disk"].follows == ("export@disk",)
    assert cases["report"].follows == ("cast@disk", "rank@disk")


def test_files_of_a_folder_are_told_apart(tiny: Tiny) -> None:
    code(tiny)
    rows = told(tiny.cases(), "export@disk")
    assert [row.split(" (")[0].split(" modified")[0] for row in rows] == [
        "file: code/export/a.py",
        "file: code/export/b.py",
        "file: code/export/c.py added",
    ]
    assert "modified 8b04d5e -> " in rows[0]
    removed(tiny)
    assert "file: code/export/b.py removed (was a9f0e61)" in told(tiny.cases(), "export@disk")


def test_a_folder_that_no_commit_has_is_one_change_and_says_so(tiny: Tiny) -> None:
    code(tiny)
    tiny.repro()
    tiny.write("code/export/a.py", "once more")
    (row,) = told(tiny.cases(), "export@disk")
    assert row.startswith("file: code/export/ modified ")
    assert "no commit has it as it was" in row


def test_a_version_that_the_probe_will_find_is_told_before_it_ran(tiny: Tiny) -> None:
    foreseen = {"probe/exporter.json": b'{"onnx": "1.20.0", "torch": "2.13.0"}'}
    assert told(tiny.cases(foreseen), "export@lightglue") == ["tool: probe/exporter.json: torch 2.12.0 -> 2.13.0"]


def test_a_version_is_told_by_hash_where_the_old_file_is_gone(tiny: Tiny) -> None:
    tiny.write("probe/exporter.json", '{"torch": "2.13.0"}')
    tiny.run("git", "checkout", "-q", "--orphan", "other")
    tiny.run("git", "branch", "-D", "main", "-q")
    tiny.commit()
    (row,) = told(tiny.cases(), "export@disk")
    assert row.startswith("tool: probe/exporter.json ")
    assert row.endswith("; now: torch 2.13.0")


def test_an_edited_output_is_told_and_comes_from_the_cache(tiny: Tiny) -> None:
    edited(tiny)
    cases = tiny.cases()
    assert {name: told(cases, name) for name in cases} == {
        "cast@disk": ["output: weights/disk/typed edited by hand"],
        "cast@lightglue": ["output: metrics/lightglue/cast.json missing"],
    }


def test_what_the_cache_gives_back_decides_what_comes_after(tiny: Tiny) -> None:
    """The rank of before is the same, but its input is not: restored all the way, and nothing runs."""
    back(tiny)
    assert becoming(tiny.cases(), Outcome.restored) == {"export@disk", "cast@disk", "rank@disk"}
    tiny.run("rm", "-rf", ".dvc/cache/runs")
    assert becoming(tiny.cases(), Outcome.runs) == {"export@disk"}


def test_outputs_that_only_a_run_can_bring_back_are_told(tiny: Tiny) -> None:
    lost(tiny)
    cases = tiny.cases()
    assert "output: weights/disk/exported missing, not in the cache" in told(cases, "export@disk")
    assert "output: weights/lightglue/exported not in the cache" in told(cases, "export@lightglue")


def test_an_input_that_changed_without_its_stage_is_a_change_of_that_file(tiny: Tiny) -> None:
    alone(tiny)
    cases = tiny.cases()
    assert told(cases, "cast@disk")[0].startswith("file: weights/disk/exported modified ")
    assert "export@disk" not in cases
