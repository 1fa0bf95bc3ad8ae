"""A whole run on a CPU: rows for all, failures among them as rows with reasons, written after every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.latency.contestant import Spec
from benchmarks.latency.process import Process
from benchmarks.latency.run import Effort, Run, run, watched
from benchmarks.latency.table import table
from enginewright.artifacts import read_json
from enginewright.errors import ConfigError
from tests.benchmarks.latency.small import KEYPOINTS, write_bundle

WHERE = {"device": "none", "driver": "none", "versions": {"onnxruntime": "1"}}


def spec(name: str, kind: str = "ort", limit_s: float = 60.0, phase: int = 1, **options: Any) -> Spec:
    sizes: dict[str, Any] = {"reference": "reference.npz", "keypoints": KEYPOINTS}
    return Spec(name, kind, f"phase {phase}", options=options, limit_s=limit_s, phase=phase, **sizes)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("latency")
    specs = [
        spec("graph", style={}),
        spec("torch", kind="torch"),
        spec("missing", graph="nowhere.onnx"),
        spec("unknown", style={"layout": "sideways"}),
        spec("late", limit_s=0.0, phase=2, style={}),
    ]
    write_bundle(folder / "bundle", specs)
    run(folder / "bundle", folder / "out" / "none.json", "cpu", Effort(200.0, calls=5), WHERE)
    return read_json(folder / "out" / "none.json")


def row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["rows"] if row["name"] == name)


@pytest.mark.parametrize("name", ["graph", "torch"])
def test_a_contestant_has_times_and_matches(found: dict[str, Any], name: str) -> None:
    told = row(found, name)
    assert told["verdict"] == "passed"
    assert told["kept"]["common"] == told["kept"]["original"] > 0
    assert len(told["ms"]["rounds"]) == 7
    assert 0 < told["ms"]["p10"] <= told["ms"]["median"] <= told["ms"]["p90"]


@pytest.mark.parametrize(("name", "why"), [("missing", "nowhere"), ("unknown", "layout"), ("late", "no answer")])
def test_a_failure_is_a_row_with_its_reason(found: dict[str, Any], name: str, why: str) -> None:
    told = row(found, name)
    assert told["verdict"] == "not_run"
    assert why in told["reason"]
    assert "ms" not in told


def test_the_table_has_every_row(found: dict[str, Any]) -> None:
    text = table(found)
    for name in ("graph", "torch", "missing", "unknown", "late"):
        assert f"| {name} |" in text
    assert "- late: not_run: no answer" in text


def test_what_was_loaded_and_never_timed_is_not_run(tmp_path: Path) -> None:
    """The second turn of a run whose time ends in the first."""
    made = Run(tmp_path / "none.json", WHERE, start=lambda _: cast(Process, Answering()), until=0.0)
    made.phase([spec("graph", style={})], rounds=1, calls=1)
    told = row(made.found, "graph")
    assert (told["verdict"], told["reason"]) == ("not_run", "the time for the whole run was over before its turn")


class Answering:
    """A contestant that is loaded at once."""

    def ask(self, **_: Any) -> None: ...

    def answer(self, _: float) -> dict[str, Any]:
        return {"kept": {"common": 1, "original": 1}}

    def end(self) -> None: ...


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no bundle to run"):
        run(tmp_path, tmp_path / "none.json", "cpu", Effort(1.0), WHERE)


def test_nothing_is_started_without_time(tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", [spec("graph", style={})])
    found = run(tmp_path / "bundle", tmp_path / "none.json", "cpu", Effort(0.0), WHERE)
    assert found["rows"] == []


def test_the_kernels_of_the_fastest_and_of_our_own_graphs_are_looked_at() -> None:
    names = ("torch a", "ort b", "ort c", "torch d", "ort ours e", "ort ours f", "ort ours g")
    specs = [spec(name, name.split()[0], graph="") if "ours" in name else spec(name, name.split()[0]) for name in names]
    assert [found.name for found in watched(specs)] == [
        "torch a",
        "torch d",
        "ort b",
        "ort c",
        "ort ours e",
        "ort ours f",
    ]
