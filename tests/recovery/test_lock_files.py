"""Lock files that a killed run cut short."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from enginewright.recovery.lock_files import is_whole, mend_locks

LOCK = (
    b"schema: '2.0'\nstages:\n  export@disk:\n    cmd: python -m stages.export\n    outs:\n"
    b"    - path: weights/disk/exported.onnx\n      md5: 0123456789abcdef\n      size: 12\n"
)
OLDER = LOCK.replace(b"0123", b"ffff")


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty git repository, the current folder."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "."], check=True)
    return tmp_path


def commit(data: bytes) -> None:
    Path("dvc.lock").write_bytes(data)
    name = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "add", "dvc.lock"], check=True)
    subprocess.run(["git", *name, "commit", "-q", "-m", "a lock"], check=True)


def test_a_whole_one_is_left_alone_and_kept() -> None:
    Path("dvc.lock").write_bytes(LOCK)
    assert mend_locks() == []
    assert Path("dvc.lock").read_bytes() == Path(".cache/locks/dvc.lock").read_bytes() == LOCK


@pytest.mark.parametrize("size", [0, 1, 10, 40])
def test_one_cut_short_is_replaced_by_the_last_whole_one(size: int) -> None:
    commit(OLDER)
    Path("dvc.lock").write_bytes(LOCK)
    mend_locks()
    Path("dvc.lock").write_bytes(LOCK[:size])
    (told,) = mend_locks()
    assert "the last make repro" in told
    assert Path("dvc.lock").read_bytes() == LOCK


def test_without_a_copy_that_of_the_commit_takes_its_place() -> None:
    commit(OLDER)
    Path("dvc.lock").write_bytes(b"")
    assert "the last commit" in mend_locks()[0]
    assert Path("dvc.lock").read_bytes() == OLDER


def test_without_any_it_is_removed() -> None:
    Path("dvc.lock").write_bytes(b"schema: '2.0'\nsta")
    assert "written anew" in mend_locks()[0]
    assert not Path("dvc.lock").exists()


def test_none_at_all_is_fine() -> None:
    assert mend_locks() == []


@pytest.mark.parametrize("size", range(0, len(LOCK), 7))
def test_no_cut_is_an_exception(size: int) -> None:
    assert is_whole(LOCK[:size]) in (True, False)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a: [", b"[]", b"stages: 1", b"stages: {a: 1}", b"\0" * 100])
def test_what_is_no_lock_file(data: bytes) -> None:
    assert not is_whole(data)


@pytest.mark.parametrize("size", [LOCK.index(b"- path") + 4, LOCK.index(b"size: 12") + 5, LOCK.index(b"outs:") + 5])
def test_what_is_yaml_and_not_what_dvc_takes_is_not_whole(size: int) -> None:
    """A name without its value, half a key: DVC checks each item, and refuses the whole file."""
    assert not is_whole(LOCK[:size])
