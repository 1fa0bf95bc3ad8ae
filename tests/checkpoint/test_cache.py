"""The cache folder and its locks."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from enginewright.checkpoint.cache import cache_folder, locked


def test_the_folder_is_below_the_current_one_unless_the_environment_names_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ENGINEWRIGHT_CACHE", raising=False)
    assert cache_folder() == Path(".cache/downloads")
    monkeypatch.setenv("ENGINEWRIGHT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINEWRIGHT_CACHE", "")
    assert cache_folder() == Path(".cache/downloads")


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    entered = threading.Event()

    def second() -> None:
        with locked(tmp_path / "deep" / "entry"):
            entered.set()

    thread = threading.Thread(target=second)
    with locked(tmp_path / "deep" / "entry"):
        thread.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    thread.join()


def test_two_entries_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with locked(tmp_path / "one"), locked(tmp_path / "two"):
        assert (tmp_path / ".one.lock").exists()
        assert (tmp_path / ".two.lock").exists()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom enginewright.checkpoint.cache import locked\n"
        f"with locked(Path({str(tmp_path / 'entry')!r})):\n    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == -9
    with locked(tmp_path / "entry"):
        assert (tmp_path / ".entry.lock").exists()


def test_the_next_holder_removes_what_a_killed_download_left(tmp_path: Path) -> None:
    (tmp_path / ".0123.abcdefgh.tmp").write_bytes(b"half")
    with locked(tmp_path / "other"):
        assert [path.name for path in tmp_path.glob("*.tmp")] == []
