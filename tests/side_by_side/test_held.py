"""Locks on files that one process takes once, seen through DVC's own lock as another process takes it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from dvc import rwlock  # type: ignore[import-untyped]
from dvc.fs import localfs  # type: ignore[import-untyped]
from dvc.lock import LockError  # type: ignore[import-untyped]

from enginewright.side_by_side.held import lock_files_once

OTHER = """
import sys
from dvc.fs import localfs
from dvc.lock import LockError
from dvc.rwlock import rwlock
folder, read, write = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
try:
    with rwlock(folder, localfs, "other", read, write, False):
        print("free")
except LockError:
    print("busy")
"""


@pytest.fixture(autouse=True)
def edits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Install it until the test ends; return a list that grows each time the file of locks is read and written."""
    found: list[str] = []
    edit = rwlock._edit_rwlock
    monkeypatch.setattr(rwlock, "rwlock", rwlock.rwlock)

    def counted(*given: Any) -> Any:
        found.append("edit")
        return edit(*given)

    monkeypatch.setattr(rwlock, "_edit_rwlock", counted)
    lock_files_once()
    return found


def hold(folder: Path, read: str = "", write: str = "") -> AbstractContextManager[None]:
    paths = ([str(folder / name) for name in names.split()] for names in (read, write))
    held: AbstractContextManager[None] = rwlock.rwlock(str(folder), localfs, "one", *paths, False)
    return held


def other(folder: Path, read: str = "", write: str = "") -> str:
    words = (" ".join(str(folder / name) for name in names.split()) for names in (read, write))
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_what_is_held_is_not_locked_again(tmp_path: Path, edits: list[str]) -> None:
    with hold(tmp_path, "in", "out"):
        with hold(tmp_path, "in out"), hold(tmp_path, write="out"):
            assert len(edits) == 1
        assert len(edits) == 1
        assert (other(tmp_path, read="in"), other(tmp_path, write="in"), other(tmp_path, read="out")) == (
            "free", "busy", "busy",
        )  # fmt: skip
    assert len(edits) == 2
    assert other(tmp_path, write="in out") == "free"
    assert not any(json.loads((tmp_path / "rwlock").read_text(encoding="utf-8")).values())


def test_a_file_is_held_until_the_last_that_asked_for_it_lets_go(tmp_path: Path) -> None:
    first, second = hold(tmp_path, "a b"), hold(tmp_path, "b c")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert (other(tmp_path, write="a"), other(tmp_path, write="b"), other(tmp_path, write="c")) == (
        "free", "busy", "busy",
    )  # fmt: skip
    second.__exit__(None, None, None)
    assert other(tmp_path, write="a b c") == "free"


def test_what_was_written_and_is_still_read_stays_held_for_reading(tmp_path: Path) -> None:
    writer, reader = hold(tmp_path, write="a"), hold(tmp_path, "a")
    writer.__enter__()
    reader.__enter__()
    writer.__exit__(None, None, None)
    assert (other(tmp_path, read="a"), other(tmp_path, write="a")) == ("free", "busy")
    reader.__exit__(None, None, None)
    assert other(tmp_path, write="a") == "free"


def test_what_another_process_writes_is_busy(tmp_path: Path) -> None:
    info = {"pid": 1, "cmd": "other"}
    (tmp_path / "rwlock").write_text(json.dumps({"write": {str(tmp_path / "a"): info}}), encoding="utf-8")
    with pytest.raises(LockError, match="busy"), hold(tmp_path, "a"):
        pass
    with hold(tmp_path, "b"):
        assert other(tmp_path, write="b") == "busy"


def test_an_error_in_the_block_releases(tmp_path: Path) -> None:
    with pytest.raises(KeyError), hold(tmp_path, "a", "b"):
        raise KeyError
    assert other(tmp_path, write="a b") == "free"
