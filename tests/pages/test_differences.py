from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from enginewright.pages.differences import Comparison, compare_runs
from enginewright.pages.files import FolderFiles
from enginewright.pages.run import Run
from tests.pages.sample import params
from tests.report.sample import metrics

NOWHERE = FolderFiles(Path("nowhere"))


def compared(old: dict[str, Any], new: dict[str, Any], base: Any = None, revision: Any = None) -> Comparison:
    return compare_runs(Run("old", NOWHERE, base or params(), old), Run("new", NOWHERE, revision or params(), new))


@pytest.fixture
def changed() -> dict[str, Any]:
    values = copy.deepcopy(metrics())
    values["disk"]["compare"] |= {"verdict": "failed", "reason": "typed"}
    values["disk"]["build"] |= {"engine_mb": 24.125, "seconds": 99.0}
    values["disk_lightglue"]["match"]["typed"] = values["disk_lightglue"]["match"]["exported"]
    values["disk"]["swap"]["max_abs_diff"] = 3e-06
    return values


def test_two_runs_of_the_same_thing_do_not_differ() -> None:
    assert compared(metrics(), metrics()).empty


def test_verdicts_come_first_those_that_became_worse_before_the_others(changed: dict[str, Any]) -> None:
    found = compared(metrics(), changed)
    assert [(one.networks, one.name, one.old, one.new, one.tone) for one in found.verdicts] == [
        (("disk",), "compare", "passed", "failed", "worse"),
        (("disk_lightglue",), "match, typed", "not run", "passed", "better"),
    ]


def test_passed_that_became_not_run_is_worse() -> None:
    old, new = copy.deepcopy(metrics()), copy.deepcopy(metrics())
    old["disk"]["build"]["verdict"] = "passed"
    (one,) = compared(old, new).verdicts
    assert (one.old, one.new, one.tone) == ("passed", "not run", "worse")


def test_sizes_and_matches_are_told_before_the_rest_and_times_last(changed: dict[str, Any]) -> None:
    found = compared(metrics(), changed)
    chief = {one.name: (one.old, one.new, one.change) for one in found.chief}
    assert chief["build: engine_mb"] == ("48.25", "24.125", "-24.12 (-50.0 %)")
    assert chief["match: typed.common"] == ("—", "1351", "")
    rest = [one.name for one in found.rest]
    assert "swap: max_abs_diff" in rest
    assert rest[-1] == "build: seconds"


def test_parameters_of_stages_are_told_once_for_all_networks() -> None:
    found = compared(metrics(), metrics(), params("fp32"), params("fp16", "scaled"))
    assert [(one.networks, one.name, one.old, one.new) for one in found.parameters] == [
        (("disk", "disk_lightglue"), "swap.form", "native", "scaled"),
        (("disk", "disk_lightglue"), "cast.precision", "fp32", "fp16"),
        (("disk", "disk_lightglue"), "match.common_ratio", "1", "0.9"),
    ]


def test_networks_that_only_one_has_are_said_to_be_so() -> None:
    new = {"disk": metrics()["disk"], "aliked": metrics()["disk"]}
    assert compared(metrics(), new).alone == ("disk_lightglue is in old only", "aliked is in new only")


def test_a_change_from_nothing_has_no_per_cent() -> None:
    old, new = copy.deepcopy(metrics()), copy.deepcopy(metrics())
    new["disk"]["cast"]["casts"] = 45
    (one,) = compared(old, new).chief
    assert (one.name, one.change) == ("cast: casts", "+45")
