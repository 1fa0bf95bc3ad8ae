from __future__ import annotations

from typing import Any

import pytest

from enginewright.pages.graphs_table import COLUMNS, steps_of
from enginewright.pages.provenance import provenance_of
from tests.pages.sample import record
from tests.report.sample import metrics


def test_where_an_engine_comes_from_in_words() -> None:
    facts = dict(provenance_of(record(), "0123456789"))
    assert facts["status"] == "graph proven; the engine itself was not run"
    assert facts["runs on"] == "GPUs of compute capability 8.0, 8.9 and later"
    assert facts["builder"] == "tensorrt_rtx, tensorrt_rtx 1.7.1"
    assert facts["options"] == "strongly_typed True"
    assert facts["engine"] == f"48.2 MB, SHA-256 {'ab' * 32}"
    assert facts["inputs"] == "image float32 (1 x 3 x 8 x 8)"
    assert facts["commit"] == "0123456789"


STATEMENT = {
    "predicate": {
        "buildDefinition": {
            "internalParameters": {"host": {"system": "Linux 6", "cpu": "Example", "gpu": None}},
            "resolvedDependencies": [
                {"name": "source", "digest": {"gitCommit": "ab" * 20}},
                {"name": "source/conf/a.yaml"},
                {"uri": "pkg:pypi/weights@1#a.pth"},
                {"name": "weights/disk/exported.onnx"},
            ],
        },
        "runDetails": {"builder": {"version": {"torch": "2.13.0"}}},
    }
}


def test_what_a_statement_says_is_told_too() -> None:
    facts = dict(provenance_of(record(), "0123456789", STATEMENT))
    assert facts["attested source"] == f"{'ab' * 20}, with edits of conf/a.yaml"
    assert facts["weights"] == "pkg:pypi/weights@1#a.pth"
    assert facts["tools"] == "torch 2.13.0"
    assert facts["built on"] == "Linux 6, Example"
    assert facts["made of"] == "1 files by SHA-256: weights/disk/exported.onnx"


@pytest.mark.parametrize(
    "statement",
    [{}, {"predicate": []}, {"predicate": {"buildDefinition": {"resolvedDependencies": [1, {}], "x": 1}}}],
)
def test_a_statement_of_another_shape_adds_nothing_of_its_own(statement: dict[str, Any]) -> None:
    added = dict(provenance_of(record(), "", statement)).keys() - dict(provenance_of(record(), "")).keys()
    assert added <= {"made of"}


def test_a_status_that_is_not_known_is_not_taken_for_a_proof() -> None:
    assert dict(provenance_of(record("splendid"), ""))["status"] == "splendid"
    assert provenance_of({}, "0123456789") == []


def test_each_step_says_what_it_made_of_the_graph() -> None:
    stages = metrics()["disk_lightglue"]
    stages["cast"] |= {"tensors": {"float16": 900, "float32": 90}, "layernorm_decomposed": 18, "casts": 46}
    rows = {step.name: dict(zip(COLUMNS, step.cells, strict=True)) for step in steps_of(stages, record())}
    assert list(rows) == ["exported", "simplified", "typed", "engine"]
    assert rows["exported"]["nodes"] == "770, opset 20"
    assert rows["simplified"]["nodes"] == "798 (+28) the exported graph goes on"
    assert rows["typed"]["types"] == "900 float16, 90 float32"
    assert rows["typed"]["LayerNorm"] == "18 decomposed"
    assert (rows["typed"]["casts"], rows["typed"]["size"]) == ("46", "23.4 MB")
    assert rows["engine"]["types"] == "100 float32, 3 int32"


def test_steps_that_left_nothing_have_no_row() -> None:
    assert steps_of({}, {}) == []
    assert [step.name for step in steps_of({"export": {}}, {})] == ["exported"]
