"""Everything that loading checks, with a real engine; only running it needs a GPU."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorrt_rtx

from enginewright.config.choices import Builder
from enginewright.engine import loader
from enginewright.engine.build import build_engine
from enginewright.engine.gpu import Gpu, find_gpu
from enginewright.engine.loader import check_content, check_subjects, check_version, gpu_obstacle
from enginewright.engine.record import record_of, write_record
from enginewright.errors import BuildError
from enginewright.input_file import read_input
from tests.engine.driver import ADA, HOPPER, compiled_driver
from tests.engine.graphs import ROOT, job, normalised_top, record

VERSION = tensorrt_rtx.__version__

LOAD = """
import json, sys
from pathlib import Path
from enginewright.engine.loader import load_engine
from enginewright.errors import EnginewrightError
try:
    load_engine(Path(sys.argv[1]), Path(sys.argv[2]))
except EnginewrightError as error:
    print(json.dumps([type(error).__name__, str(error), "polygraphy" in sys.modules]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Return the bytes of a real engine and of its record."""
    folder = tmp_path_factory.mktemp("made")
    graph = normalised_top(folder / "graph.onnx")
    built = build_engine(graph, job())
    write_record(folder / "engine.json", record_of(built, Builder.tensorrt_rtx, graph.read_bytes()))
    return built.engine, (folder / "engine.json").read_bytes()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_driver(tmp_path_factory.mktemp("driver"))


def load(
    folder: Path, made: tuple[bytes, bytes], driver: Path | None = None, gpu: str = "", **changes: Any
) -> tuple[str, str, bool]:
    """Return class, text and whether Polygraphy was imported, of the error of loading in a new process.

    made: bytes of engine and record. changes: keys of the record. gpu: which of the driver's GPUs there is; "": none.
    """
    (folder / "engine.plan").write_bytes(made[0])
    (folder / "engine.json").write_text(json.dumps(json.loads(made[1]) | changes))
    command = [sys.executable, "-c", LOAD, "engine.plan", "engine.json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": gpu}
    environment |= {"LD_LIBRARY_PATH": str(driver)} if driver else {}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cls, text, polygraphy = json.loads(done.stdout.splitlines()[-1])
    return cls, text, polygraphy


def test_no_gpu_is_said_before_anything_is_deserialised(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    cls, text, polygraphy = load(tmp_path, made)
    assert cls == "RequirementError"
    assert "engine.plan cannot run on this machine" in text
    assert "8.0, 8.6, 8.9, 12.0, 12.1 and later" in text
    assert "no NVIDIA GPU with a driver" in text
    assert not polygraphy


def test_a_gpu_that_is_no_target_is_named(tmp_path: Path, made: tuple[bytes, bytes], driver: Path) -> None:
    cls, text, polygraphy = load(tmp_path, made, driver, HOPPER)
    assert cls == "RequirementError"
    assert "Test Hopper has compute capability 9.0" in text
    assert not polygraphy


def test_a_flipped_byte_is_refused_first(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    engine = bytearray(made[0])
    engine[len(engine) // 2] ^= 1
    cls, text, polygraphy = load(tmp_path, (bytes(engine), made[1]))
    assert cls == "BuildError"
    assert "is not the engine that its record describes" in text
    assert text.count("SHA-256") == 2
    assert not polygraphy


def test_a_cut_engine_is_refused_by_its_size(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    cls, text, _ = load(tmp_path, (made[0][:-1], made[1]))
    assert cls == "BuildError"
    assert f"expected: {len(made[0])}" in text
    assert f"got: {len(made[0]) - 1}" in text


def test_a_statement_about_another_engine_or_record_is_refused_first(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    said = {"engine.plan": made[0], "engine.json": json.dumps(json.loads(made[1])).encode()}
    for name in said:
        digests = {key: hashlib.sha256(data + b"x" * (key == name)).hexdigest() for key, data in said.items()}
        subjects = [{"name": key, "digest": {"sha256": value}} for key, value in digests.items()]
        (tmp_path / "engine.intoto.json").write_text(json.dumps({"subject": subjects}))
        cls, text, polygraphy = load(tmp_path, made)
        assert (cls, polygraphy) == ("BuildError", False)
        assert f"{name} is not the file that engine.intoto.json is about" in text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"subject": 1}', '{"subject": [{}]}', "[" * 100_000])
def test_what_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(BuildError, match="is no statement"):
        check_subjects(text.encode(), {})


def test_a_file_that_changes_after_it_was_read_is_not_loaded(
    tmp_path: Path, made: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes that were checked are the bytes that are loaded, and each file is read once."""
    (tmp_path / "engine.plan").write_bytes(made[0])
    (tmp_path / "engine.json").write_bytes(made[1])
    read: list[str] = []

    def swapping(path: Path, most: int) -> bytes:
        data = read_input(path, most)
        read.append(path.name)
        path.write_bytes(b"another")
        return data

    loaded: list[bytes] = []
    monkeypatch.setattr(loader, "read_input", swapping)
    monkeypatch.setattr("enginewright.engine.record.read_input", swapping)
    monkeypatch.setattr(loader, "find_gpu", lambda: Gpu("any", "8.9", ""))
    monkeypatch.setattr(loader, "deserialised", lambda data, record: loaded.append(data))
    loader.load_engine(tmp_path / "engine.plan", tmp_path / "engine.json")
    assert loaded == [made[0]]
    assert sorted(read) == ["engine.json", "engine.plan"]


def test_the_pipeline_loads_before_its_statement_is_made_anew(
    tmp_path: Path, made: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in (("engine.plan", made[0]), ("engine.json", made[1]), ("engine.intoto.json", b'{"subject": []}')):
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(loader, "find_gpu", lambda: Gpu("any", "8.9", ""))
    monkeypatch.setattr(loader, "deserialised", lambda data, record: data)
    paths = tmp_path / "engine.plan", tmp_path / "engine.json"
    assert loader.load_engine(*paths, attested=False) == made[0]
    with pytest.raises(BuildError, match="is about"):
        loader.load_engine(*paths)


def test_another_version_is_refused(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    cls, text, _ = load(tmp_path, made, versions={"tensorrt_rtx": "1.6.0", "polygraphy": "0.53.6"})
    assert cls == "BuildError"
    assert "another version of tensorrt_rtx" in text
    assert "expected: 1.6.0" in text
    assert f"got: {VERSION}" in text
    assert "install tensorrt_rtx==1.6.0" in text


def test_a_broken_record_is_refused(tmp_path: Path, made: tuple[bytes, bytes]) -> None:
    cls, text, _ = load(tmp_path, made, format=2)
    assert cls == "BuildError"
    assert "has another format" in text


@pytest.mark.skipif(find_gpu() is not None, reason="this machine has a GPU: the engine may well deserialise")
def test_only_then_is_it_deserialised_and_its_failure_is_clear(
    tmp_path: Path, made: tuple[bytes, bytes], driver: Path
) -> None:
    cls, text, polygraphy = load(tmp_path, made, driver, ADA)
    assert cls == "BuildError"
    assert "the engine does not deserialise" in text
    assert polygraphy


def test_content_that_matches_passes() -> None:
    check_content(b"engine", record(b"engine"), "engine.plan")


@pytest.mark.parametrize("data", [b"", b"engin", b"enginE", b"engine\n"])
def test_other_content_is_refused(data: bytes) -> None:
    with pytest.raises(BuildError, match=r"engine\.plan"):
        check_content(data, record(b"engine"), "engine.plan")


def test_a_version_compatible_engine_may_be_older_but_not_newer() -> None:
    check_version(record(version="1.6.0", version_compatible=True), "1.7.1.116")
    check_version(record(version="1.7.1.116"), "1.7.1.116")
    with pytest.raises(BuildError) as caught:
        check_version(record(version="1.10.0", version_compatible=True), "1.9.0")
    assert caught.value.expected == "1.10.0 or later"
    with pytest.raises(BuildError) as caught:
        check_version(record(version="1.6.0"), "1.7.1.116")
    assert caught.value.expected == "1.6.0"


@pytest.mark.parametrize("capability", ["8.0", "8.9", "12.0", "13.0"])
def test_gpus_that_are_targets_are_no_obstacle(capability: str) -> None:
    assert gpu_obstacle(record(), Gpu("any", capability, "")) is None


@pytest.mark.parametrize("capability", ["7.5", "9.0", "10.0"])
def test_other_gpus_are(capability: str) -> None:
    found = gpu_obstacle(record(), Gpu("NVIDIA H200", capability, ""))
    assert found is not None
    assert f"NVIDIA H200 has compute capability {capability}" in found
    assert gpu_obstacle(record(), None) == "no NVIDIA GPU with a driver"
