"""Two locks: what ran between them, and why."""

from __future__ import annotations

import pytest
from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.errors import ConfigError
from enginewright.explaining.changes import Outcome
from enginewright.explaining.compared import compared
from enginewright.explaining.contents import Contents
from enginewright.explaining.locked import Record, read_lock
from enginewright.explaining.revisions import between
from tests.explaining.tiny import PARAMS, SECOND, Tiny


def told(tiny: Tiny, rev: str) -> tuple[str, str, dict[str, list[str]]]:
    with Repo(str(tiny.path)) as repo:
        old, new, cases, _ = between(repo, rev)
    assert all(case.outcome is Outcome.ran for case in cases.values())
    return old, new, {name: [str(change) for change in case.changes] for name, case in cases.items()}


def test_what_ran_since_a_commit(tiny: Tiny) -> None:
    tiny.write("code/export/b.py", "otherwise")
    tiny.write("probe/exporter.json", '{"onnx": "1.20.0", "torch": "2.13.0"}')
    tiny.repro()
    old, new, cases = told(tiny, "HEAD")
    assert (old[:4], new) == ("HEAD", "here")
    assert cases["export@disk"][0].startswith("code/export/b.py modified a9f0e61 -> ")
    assert cases["export@disk"][1] == "probe/exporter.json: torch 2.12.0 -> 2.13.0"
    # The first file of the folder is what is written, so no output differs and nothing else ran.
    assert list(cases) == ["export@disk", "export@lightglue"]


def test_why_an_experiment_ran(tiny: Tiny) -> None:
    tiny.run("dvc", "exp", "run", "-q", "-n", "other", "-S", "networks.disk.export.opset=18")
    tiny.run("git", "checkout", "-q", ".")
    old, new, cases = told(tiny, "other")
    assert (old, new[:5]) == ("here", "other")
    assert list(cases) == ["export@disk", "cast@disk", "rank@disk"]  # no metric differs, so the report did not run
    assert cases["export@disk"][-1] == "networks.disk.export.opset 17 -> 18"
    assert cases["cast@disk"] == []


def test_a_network_that_is_new_there(tiny: Tiny) -> None:
    tiny.write("params.yaml", PARAMS + SECOND + SECOND.replace("lightglue", "aliked"))
    tiny.repro()
    assert told(tiny, "HEAD")[2]["export@aliked"] == ["never run before"]


def test_the_same_lock_has_nothing_to_tell(tiny: Tiny) -> None:
    assert told(tiny, "HEAD")[2] == {}


def test_other_bytes_from_the_same_inputs_are_told_as_that() -> None:
    old, new = (Record("run", {"code": "1"}, {}, {"weights/a": md5}) for md5 in ("2", "3"))
    found = compared({"build": old}, {"build": new}, Contents())
    assert [str(change) for change in found["build"].changes] == ["weights/a came out otherwise from the same inputs"]


def test_a_revision_that_is_none_is_refused(tiny: Tiny) -> None:
    with Repo(str(tiny.path)) as repo, pytest.raises(ConfigError, match="nowhere is no commit and no experiment"):
        between(repo, "nowhere")


@pytest.mark.parametrize("text", ["stages: [", "schema: '2.0'\nstages:\n  a: 1\n", "a: 1"])
def test_a_lock_that_was_cut_short_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ConfigError, match="git checkout"):
        read_lock(text)


def test_no_lock_is_an_empty_one() -> None:
    assert read_lock("") == {}
