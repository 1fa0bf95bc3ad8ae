"""Two statements of one engine, built on two machines from two commits."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from enginewright.artifacts import json_bytes
from enginewright.attesting.source import Source
from enginewright.reproducing.outputs import State, _file
from tests.attesting.test_statement import statement_for

NAME = "weights/disk/engine.intoto.json"


@pytest.fixture(scope="module")
def statement(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return statement_for(tmp_path_factory.mktemp("built"), "disk", [], Source("ab" * 20, {"conf/a.yaml": "cd" * 32}))[0]


def compared(old: dict[str, Any], new: dict[str, Any]) -> State:
    return _file(NAME, json_bytes(old), json_bytes(new))[0]


def item(statement: dict[str, Any], name: str) -> dict[str, Any]:
    found = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    return next(one for one in [*found, *statement["subject"]] if one.get("name") == name)


def test_commit_machine_and_measurements_are_no_difference(statement: dict[str, Any], tmp_path: Path) -> None:
    other, _ = statement_for(tmp_path, "disk", [], Source("ef" * 20, {}))
    other["predicate"]["buildDefinition"]["internalParameters"]["host"]["cpu"] = "Another"
    item(other, "metrics/disk/build.json")["digest"]["sha256"] = "00" * 32
    assert compared(statement, other) is State.measured


@pytest.mark.parametrize("name", ["engine.plan", "typed.onnx", "weights/disk/exported.onnx", "requirements.lock"])
def test_another_artifact_is(statement: dict[str, Any], name: str) -> None:
    other = copy.deepcopy(statement)
    item(other, name)["digest"]["sha256"] = "00" * 32
    assert compared(statement, other) is State.different


def test_another_parameter_is(statement: dict[str, Any]) -> None:
    other = copy.deepcopy(statement)
    other["predicate"]["buildDefinition"]["externalParameters"]["networks"]["disk"]["export"]["opset"] = 18
    assert compared(statement, other) is State.different


def test_the_machine_in_the_metrics_of_build_is_no_difference() -> None:
    old, new = ({"layers": 3, "host": {"cpu": cpu}} for cpu in ("one", "another"))
    assert _file("metrics/disk/build.json", json_bytes(old), json_bytes(new))[0] is State.measured
