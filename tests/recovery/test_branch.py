"""HEAD, which a killed `dvc exp run` left on no branch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from enginewright.recovery.branch import mend_branch


def git(*words: str) -> str:
    name = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(["git", *name, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "work", ".")
    git("commit", "-q", "--allow-empty", "-m", "first")


def left_by_dvc() -> None:
    git("checkout", "-q", "--detach")
    git("update-ref", "refs/exps/exec/EXEC_BASELINE", "HEAD")
    git("update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")


def test_head_goes_back_to_its_branch() -> None:
    left_by_dvc()
    assert "back on work" in mend_branch()[0]
    assert git("branch", "--show-current") == "work"
    assert git("for-each-ref", "refs/exps") == ""
    assert mend_branch() == []


def test_of_several_branches_it_is_the_one_that_head_left() -> None:
    git("branch", "other")
    left_by_dvc()
    mend_branch()
    assert git("branch", "--show-current") == "work"


def test_a_head_that_the_user_detached_stays() -> None:
    git("checkout", "-q", "--detach")
    assert mend_branch() == []
    assert git("branch", "--show-current") == ""


def test_a_head_that_has_moved_on_is_told_and_stays() -> None:
    left_by_dvc()
    git("commit", "-q", "--allow-empty", "-m", "made on no branch")
    assert "git switch" in mend_branch()[0]
    assert git("branch", "--show-current") == ""


def test_on_a_branch_nothing_is_done() -> None:
    git("update-ref", "refs/exps/exec/EXEC_BASELINE", "HEAD")
    assert mend_branch() == []
