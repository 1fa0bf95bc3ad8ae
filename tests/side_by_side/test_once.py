"""A parameters file is parsed once, whatever number of stages reads it, and again once it has changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from dvc.dependency import param  # type: ignore[import-untyped]
from dvc.fs import LocalFileSystem  # type: ignore[import-untyped]

from enginewright.side_by_side.once import read_parameters_once


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files that DVC has parsed since."""
    load, found = param.load_path, []

    def noted(path: str, fs: Any, **options: Any) -> Any:
        found.append(Path(path).name)
        return load(path, fs, **options)

    monkeypatch.setattr(param, "load_path", noted)
    monkeypatch.setattr(param, "read_param_file", param.read_param_file)
    read_parameters_once()
    return found


def read(path: Path, *keys: str) -> Any:
    return param.read_param_file(LocalFileSystem(), str(path), list(keys), flatten=True)


def test_a_file_is_parsed_once_for_all_stages(tmp_path: Path, parsed: list[str]) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: {x: 1}\nb: 1e-4\n")
    assert read(path, "a.x") == {"a.x": 1}
    assert read(path, "a", "b") == {"a": {"x": 1}, "b": 1e-4}
    assert parsed == ["params.yaml"]


def test_a_file_that_changed_is_parsed_again_even_within_its_time(tmp_path: Path, parsed: list[str]) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: 1\n")
    assert read(path, "a") == {"a": 1}
    time = path.stat().st_mtime_ns
    path.write_text("a: 2\n")
    os.utime(path, ns=(time, time))
    assert read(path, "a") == {"a": 2}
    assert len(parsed) == 2


def test_what_one_stage_does_to_its_values_is_nothing_to_another(tmp_path: Path, parsed: list[str]) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: {x: [1]}\n")
    read(path, "a")["a"]["x"].append(2)
    assert read(path, "a") == {"a": {"x": [1]}}


def test_installing_it_again_changes_nothing(tmp_path: Path, parsed: list[str]) -> None:
    before = param.load_path, param.read_param_file
    read_parameters_once()
    assert (param.load_path, param.read_param_file) == before
