"""Fault points, and that each is in its place: what lies on the disk when a process is killed there."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from enginewright.artifacts import write_bytes, write_folder
from enginewright.errors import StorageError
from enginewright.faults import VARIABLE, fault_point

NEW, OLD = b"0123456789", b"old"
FILE_POINTS = {
    "begin": (OLD, None),
    "created": (OLD, b""),
    "half": (OLD, NEW[:5]),
    "filled": (OLD, NEW),
    "flushed": (OLD, NEW),
    "renamed": (NEW, None),
    "done": (NEW, None),
}
"""What the file holds at each point, and what a temporary file beside it does."""

FOLDER_POINTS = {
    "begin": {"old"}, "created": {"old"}, "half": {"old"}, "flushed": {"old"}, "swapped": None, "renamed": {"a", "b"},
    "done": {"a", "b"},
}  # fmt: skip


def killed_at(fault: str, work: Callable[[], object]) -> None:
    """Do the work in a fork that is killed at a fault point."""
    if not (process := os.fork()):
        os.environ[VARIABLE] = fault
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("point", FILE_POINTS)
def test_a_kill_at_each_point_of_a_file(tmp_path: Path, point: str) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(OLD)
    killed_at(f"{point}:x.onnx:kill", lambda: write_bytes(path, NEW))
    whole, beside = FILE_POINTS[point]
    assert path.read_bytes() == whole
    assert [found.read_bytes() for found in tmp_path.glob(".x.onnx.*.tmp")] == ([] if beside is None else [beside])


@pytest.mark.parametrize("point", FOLDER_POINTS)
def test_a_kill_at_each_point_of_a_folder(tmp_path: Path, point: str) -> None:
    path = tmp_path / "matches"
    write_folder(path, [("old", OLD)])
    killed_at(f"{point}:matches:kill", lambda: write_folder(path, [("a", NEW), ("b", NEW)]))
    names = {found.name for found in path.iterdir()} if path.exists() else None
    assert names == FOLDER_POINTS[point]


@pytest.mark.parametrize("error", ["ENOSPC", "EROFS", "EACCES", "EFBIG", "EDQUOT", "EIO", "EPERM"])
@pytest.mark.parametrize("point", ["begin", "half", "flushed"])
def test_a_refusal_of_the_system_is_told_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, point: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(OLD)
    monkeypatch.setenv(VARIABLE, f"{point}:x:{error}")
    with pytest.raises(StorageError, match=rf"x could not be written\n(.*\n)+.*{error}.*\n.*cure: ."):
        write_bytes(path, NEW)
    assert path.read_bytes() == OLD
    assert [found.name for found in tmp_path.iterdir()] == ["x"]


def test_a_refused_folder_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "matches", [("old", OLD)])
    monkeypatch.setenv(VARIABLE, "half:matches:ENOSPC")
    with pytest.raises(StorageError, match="free some space"):
        write_folder(tmp_path / "matches", [("new", NEW)])
    assert [found.name for found in tmp_path.rglob("*")] == ["matches", "old"]


def test_without_the_variable_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    fault_point("half", tmp_path / "x")


def test_another_file_or_point_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "half:x:ENOSPC")
    fault_point("half", tmp_path / "y")
    fault_point("filled", tmp_path / "x")
    with pytest.raises(OSError, match="No space left") as told:
        fault_point("half", tmp_path / "x")
    assert told.value.errno == errno.ENOSPC


def test_points_are_written_down_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"log:{tmp_path / 'log'}")
    write_bytes(tmp_path / "x", NEW)
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert lines == [[point, "x", str(os.getpid())] for point in FILE_POINTS]
