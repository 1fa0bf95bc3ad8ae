from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enginewright.config.choices import Builder
from enginewright.engine.record import Content, Record, Status, read_record, record_from, record_of, write_record
from enginewright.engine.support import Targets
from enginewright.errors import BuildError
from tests.engine.graphs import built, record


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    for status in Status:
        written = record().with_status(status, f"reason of {status.name}")
        write_record(tmp_path / "engine.json", written)
        assert read_record(tmp_path / "engine.json") == written


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    write_record(tmp_path / "first.json", record())
    write_record(tmp_path / "second.json", record())
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_the_file_has_the_promised_keys_and_no_time_or_host(tmp_path: Path) -> None:
    write_record(tmp_path / "engine.json", record().with_status(Status.unproven, "nobody looked"))
    raw = json.loads((tmp_path / "engine.json").read_text())
    assert sorted(raw) == [
        "builder",
        "engine",
        "format",
        "graph",
        "inputs",
        "layer_types",
        "layers",
        "options",
        "outputs",
        "profile",
        "reason",
        "status",
        "targets",
        "versions",
    ]
    assert raw["engine"] == {"sha256": Content.of(b"engine").sha256, "size": 6}
    assert raw["graph"]["size"] == 5
    assert raw["status"] == "unproven"
    assert raw["builder"] == "tensorrt_rtx"
    assert raw["targets"] == {"compute_capabilities": ["8.0", "8.6", "8.9", "12.0", "12.1"], "and_later": True}
    assert raw["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["batch", 64, 32]}]
    assert "seconds" not in raw


def test_a_new_record_is_unproven() -> None:
    fresh = record_of(built(), Builder.tensorrt_rtx, b"graph")
    assert fresh.status is Status.unproven
    assert fresh.reason
    proven = fresh.with_status(Status.proven, "")
    assert (proven.status, proven.reason) == (Status.proven, "")
    assert fresh.status is Status.unproven


def test_versions_and_compatibility_are_those_of_the_builder() -> None:
    assert record(version="1.8.0").builder_version == "1.8.0"
    assert not record().version_compatible
    assert record(version_compatible=True).version_compatible
    made = replace(built(), versions={"tensorrt": "11.4", "polygraphy": "0.53.6"}, targets=Targets(("9.0",), False))
    assert record_of(made, Builder.tensorrt, b"graph").builder_version == "11.4"


@pytest.mark.parametrize("key", ["status", "versions", "engine", "profile", "format"])
def test_missing_keys_are_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "engine.json"
    write_record(path, record())
    raw = json.loads(path.read_text())
    del raw[key]
    path.write_text(json.dumps(raw))
    with pytest.raises(BuildError, match=f"no engine record: KeyError: '{key}'"):
        read_record(path)


def test_another_format_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    write_record(path, record())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(BuildError, match="has another format") as caught:
        read_record(path)
    assert (caught.value.expected, caught.value.got) == (1, 99)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": 1}', "\x00\x01"])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "engine.json"
    path.write_text(text)
    with pytest.raises(BuildError, match="is no engine record"):
        read_record(path)


def test_a_missing_or_cut_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    with pytest.raises(BuildError, match="is no engine record: FileNotFoundError"):
        read_record(path)
    write_record(path, record())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BuildError, match="is no engine record"):
        read_record(path)


def test_records_are_values() -> None:
    assert record() == record()
    assert record() != record(b"other")
    assert isinstance(record(), Record)


def test_a_record_from_before_layer_types_were_read_is_still_one(tmp_path: Path) -> None:
    write_record(tmp_path / "engine.json", record())
    raw = json.loads((tmp_path / "engine.json").read_text())
    assert raw.pop("layer_types") == {"float32": 12, "int32": 1}
    (tmp_path / "engine.json").write_text(json.dumps(raw))
    assert read_record(tmp_path / "engine.json") == replace(record(), layer_types={})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "fine"),
        ("engine", {"sha256": "0"}),
        ("engine", {"sha256": "0" * 64, "size": "12"}),
        ("engine", {"sha256": "0" * 64, "size": -1}),
        ("engine", {"sha256": "../../etc", "size": 1}),
        ("engine", {"sha256": "0" * 64, "size": 1, "more": 2}),
        ("versions", {}),
        ("versions", []),
        ("versions", {"tensorrt_rtx": 7}),
        ("versions", {"tensorrt_rtx": None}),
        ("options", []),
        ("layers", "7"),
        ("reason", None),
        ("layer_types", {"float32": "many"}),
        ("profile", {"x": [1]}),
        ("profile", {"x": {"min": [1], "opt": ["a"], "max": [2]}}),
        ("targets", []),
        ("targets", {"compute_capabilities": [], "and_later": True}),
        ("targets", {"compute_capabilities": [8.9], "and_later": False}),
        ("targets", {"compute_capabilities": ["eight"], "and_later": True}),
        ("targets", {"compute_capabilities": "8.9", "and_later": True}),
        ("inputs", [{"name": "x", "dtype": "float32", "shape": [None]}]),
        ("inputs", [{"name": "x"}]),
        ("inputs", {"x": 1}),
        ("inputs", 1),
        ("builder", "tvm"),
        ("builder", []),
        ("builder", "__import__('os')"),
        ("builder", ["tensorrt_rtx"]),
    ],
)
def test_what_a_loader_would_stumble_over_is_refused_when_it_is_read(tmp_path: Path, key: str, value: Any) -> None:
    path = tmp_path / "engine.json"
    write_record(path, record())
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(BuildError, match=r"engine\.json is no engine record"):
        read_record(path)


@pytest.mark.parametrize(
    "text", ['{"format": 1, "format": 1}', '{"format": NaN}', '{"a":' * 100_000, '{"format": ' + "9" * 5000 + "}"]
)
def test_json_that_is_none_of_ours_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "engine.json").write_text(text)
    with pytest.raises(BuildError, match="is no engine record"):
        read_record(tmp_path / "engine.json")


def test_a_pipe_or_a_folder_is_no_record(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(BuildError, match="is no engine record"):
            read_record(path)


def test_a_deep_record_is_refused() -> None:
    with pytest.raises(BuildError, match="is no engine record"):
        record_from(b"[" * 100_000, "engine.json")


def test_an_engine_for_no_gpu_runs_on_none() -> None:
    assert not Targets((), and_later=True).include("8.9")
