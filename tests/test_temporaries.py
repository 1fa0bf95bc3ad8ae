"""Temporary files that are removed once their makers are gone, and not before."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from enginewright.temporaries import clear_leftovers, temporary_file, temporary_folder, working_folder


def killed(work: Callable[[], object]) -> None:
    """Do the work, which kills its process, in a fork."""
    if not (process := os.fork()):
        work()
        os._exit(0)
    os.waitpid(process, 0)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    def work() -> None:
        with temporary_file(tmp_path / "x") as file, temporary_folder(tmp_path, "y") as folder:
            file.write_bytes(b"half")
            (folder / "inside").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)

    killed(work)
    assert len(list(tmp_path.glob(".*.tmp"))) == 2
    clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    with temporary_file(tmp_path / "x") as file, temporary_folder(tmp_path, "y") as folder:
        clear_leftovers(tmp_path)
        assert file.exists()
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_other_files_stay(tmp_path: Path) -> None:
    for name in ("x.tmp", ".hidden", "x", ".4K7TcYVbMk6PmPLHxdiyrA.tmp"):
        (tmp_path / name).touch()
    (tmp_path / ".link.abcdefgh.tmp").symlink_to("x")
    clear_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_one_taken_for_a_leftover_before_it_is_locked_is_made_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkstemp
    taken: list[str] = []

    def stolen(**words: str) -> tuple[int, str]:
        handle, name = make(**words)  # type: ignore[call-overload]
        if not taken:
            taken.append(name)
            Path(name).unlink()
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", stolen)
    with temporary_file(tmp_path / "x") as file:
        assert taken
        assert file.exists()


def test_temporary_files_lie_in_the_working_folder_and_go_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/proc")
    before = tempfile.tempdir
    with working_folder(tmp_path / "work"):
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert Path(file.name).is_relative_to(tmp_path / "work")
        assert Path(os.environ["TMPDIR"]).is_relative_to(tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []
    assert (os.environ["TMPDIR"], tempfile.tempdir) == ("/proc", before)


def test_the_next_working_folder_removes_that_of_a_killed_stage(tmp_path: Path) -> None:
    def work() -> None:
        with working_folder(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)

    killed(work)
    assert len(list(tmp_path.iterdir())) == 1
    with working_folder(tmp_path):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_where_no_working_folder_can_be_made_the_systems_stays() -> None:
    with working_folder(Path("/proc/nowhere")):
        assert "nowhere" not in tempfile.gettempdir()


def test_an_error_in_the_block_passes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="told"), working_folder(tmp_path):
        raise OSError("told")
    assert list(tmp_path.iterdir()) == []
