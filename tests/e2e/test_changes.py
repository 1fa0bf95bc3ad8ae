"""What a change runs again, and what it leaves alone."""

from __future__ import annotations

import re

import pytest

from tests.e2e.workspace import Workspace, ran

ALL = {"swap", "export", "preflight", "simplify", "cast", "compare", "build", "match", "attest", "report", "checkpoint"}
FROM_CAST = {"cast", "compare", "build", "match", "attest", "report"}


def stages_of(names: list[str]) -> set[str]:
    """Return the stages' names without their networks, the probe left out."""
    return {name.partition("@")[0] for name in names} - {"probe"}


def would_run(space: Workspace) -> set[str]:
    """Return the stages whose own code, inputs or parameters differ from the last run, as `dvc status` sees them."""
    status = space.run("dvc", "status").stdout
    return {name.partition("@")[0] for name in re.findall(r"^([a-z_@]+):$", status, flags=re.MULTILINE)} - {"probe"}


@pytest.mark.parametrize(
    ("override", "wanted"),
    [
        ("export.opset=18", {"export"}),
        ("layernorm=decomposed", {"swap", "export", "cast"}),
        ("simplify=none", {"simplify"}),
        ("precision=fp16", {"cast", "compare", "build", "match"}),
        ("compare.max_abs=0.002", {"compare", "build"}),
        ("precision=tf32", {"cast", "preflight", "compare", "build", "match"}),
        ("builder.workspace_mib=4096", {"preflight", "build"}),
        ("match.pictures=1", {"match"}),
        ("data.seed=1", {"swap", "match"}),
    ],
)
def test_a_parameter_touches_just_the_stages_that_read_it(scratch: Workspace, override: str, wanted: set[str]) -> None:
    scratch.run("python", "-m", "enginewright.config.compose", override)
    assert would_run(scratch) - {"report"} == wanted | {"attest"}, "a statement holds every parameter"


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("stages/simplify.py", {"simplify"}),
        ("stages/report.py", {"report"}),
        ("stages/match.py", {"match"}),
        ("enginewright/casting/autocast.py", {"cast"}),
        ("networks/lightglue.py", {"checkpoint", "swap", "export"}),
        ("tests/e2e/test_changes.py", set()),
        ("README.md", set()),
    ],
)
def test_a_comment_touches_just_the_stages_of_that_file(scratch: Workspace, file: str, wanted: set[str]) -> None:
    with (scratch.path / file).open("a", encoding="utf-8") as code:
        code.write("# a comment\n")
    assert would_run(scratch) == wanted


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ("exporter_torchscript", {"export", "attest"}),
        ("simplifier_onnxsim", {"simplify", "attest"}),
        ("precision_fp16", set()),
        ("builder_tensorrt_rtx", {"preflight", "build", "attest"}),
        ("gpu", {"preflight", "compare", "build", "match"}),
    ],
)
def test_another_version_of_a_tool_touches_just_the_stages_that_use_it(
    scratch: Workspace, tool: str, wanted: set[str]
) -> None:
    scratch.edit(f"probe/{tool}.json", r"\A\{", '{"upgraded": "yes",')
    assert would_run(scratch) == wanted


def test_an_opset_runs_from_export_on_and_back_is_cache_only(small: Workspace) -> None:
    there = small.run("dvc", "exp", "run", "-S", "export.opset=18")
    assert stages_of(ran(there)) == ALL - {"swap", "checkpoint"}
    assert small.json("metrics/disk/export.json")["opset"] == 18
    back = small.run("dvc", "exp", "run")
    assert stages_of(ran(back)) == set(), back.stdout
    assert small.json("metrics/disk/export.json")["opset"] == 17
    small.run("git", "checkout", "-q", ".")


def test_a_tolerance_runs_compare_and_after(small: Workspace) -> None:
    found = small.run("dvc", "exp", "run", "-S", "compare.max_abs=0.002")
    assert stages_of(ran(found)) == {"compare", "build", "attest", "report"} | ({"match"} & stages_of(ran(found)))
    small.run("dvc", "exp", "run")
    small.run("git", "checkout", "-q", ".")


def test_fp16_on_a_cpu_is_built_and_called_unproven(small: Workspace) -> None:
    # Rounding may cost one match, which of 64 is more than the budget of fp16 allows.
    changes = ("precision=fp16", "budget.p99_abs=1.0", "budget.cosine=0.9", "budget.matcher_ratio=0.9")
    found = small.run("dvc", "exp", "run", *(word for change in changes for word in ("-S", change)))
    assert stages_of(ran(found)) == FROM_CAST
    assert small.json("metrics/disk/cast.json")["precision"] == "fp16"
    compare = small.json("metrics/disk_lightglue/compare.json")
    assert compare["verdict"] == "not_run"
    verdicts = {"exported": "passed", "simplified": "passed", "typed": "not_run", "ranges": "passed"}
    assert compare["verdicts"] == verdicts | {"rehearsed": "passed"}
    assert small.json("weights/disk/engine.json")["status"] == "unproven"
    match = small.json("metrics/disk_lightglue/match.json")
    assert (match["typed"]["verdict"], match["rehearsed"]["verdict"]) == ("not_run", "passed")
    assert "cast.precision" in small.run("dvc", "params", "diff", "--deps").stdout
    assert "engine_mb" in small.run("dvc", "metrics", "diff").stdout
    small.run("dvc", "exp", "run")
    small.run("git", "checkout", "-q", ".")
