"""The commit and every file that differs from it, in real git repositories."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from enginewright.attesting.source import Source, message_of, source_of


def git(root: Path, *words: str) -> str:
    found = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def committed(root: Path, **files: str) -> str:
    """Write files, `__` for `/` in their names, commit them and return the commit."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if not (root / ".git").is_dir():
        git(root, "init", "-q", ".")
        git(root, "config", "user.email", "test@example.com")
        git(root, "config", "user.name", "test")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "as it is")
    return git(root, "rev-parse", "HEAD")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_clean_checkout_is_its_commit(tmp_path: Path) -> None:
    commit = committed(tmp_path, stages__a="1")
    assert source_of(tmp_path) == Source(commit, {})


def test_edits_are_named_with_what_lies_there_now(tmp_path: Path) -> None:
    commit = committed(tmp_path, stages__a="1", conf__b="2", docs__c="3", staged="4")
    (tmp_path / "stages" / "a").write_text("other")
    (tmp_path / "conf" / "b").unlink()
    (tmp_path / "staged").write_text("5")
    git(tmp_path, "add", "staged")
    assert source_of(tmp_path) == Source(commit, {"conf/b": None, "staged": sha256("5"), "stages/a": sha256("other")})


def test_a_new_file_counts_where_it_can_be_part_of_a_build(tmp_path: Path) -> None:
    commit = committed(tmp_path, **{"networks__a": "1", ".gitignore": "*.pyc\n"})
    for name in ("networks/mine.py", "networks/mine.pyc", "notes.txt"):
        (tmp_path / name).write_text("new")
    assert source_of(tmp_path) == Source(commit, {"networks/mine.py": sha256("new")})


@pytest.mark.parametrize("name", ["dvc.lock", "machine/dvc.lock"])
def test_what_the_pipeline_rewrites_is_no_edit(tmp_path: Path, name: str) -> None:
    commit = committed(tmp_path, **{name.replace("/", "__"): "1"})
    (tmp_path / name).write_text("2")
    assert source_of(tmp_path) == Source(commit, {})


def test_an_odd_name_is_told_as_it_is(tmp_path: Path) -> None:
    commit = committed(tmp_path, **{"conf__ä b": "1"})
    (tmp_path / "conf" / "ä b").write_text("2")
    assert source_of(tmp_path) == Source(commit, {"conf/ä b": sha256("2")})


def test_without_git_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    assert source_of(tmp_path) == Source(None, {})
    git(tmp_path, "init", "-q", ".")
    assert source_of(tmp_path) == Source(None, {}), "a repository without a commit"


def test_no_lock_of_git_is_taken_or_needed(tmp_path: Path) -> None:
    """A person's own git may run meanwhile."""
    commit = committed(tmp_path, conf__a="1")
    (tmp_path / ".git" / "index.lock").touch()
    assert source_of(tmp_path).commit == commit


def test_a_commit_can_stand_for_another_one(tmp_path: Path) -> None:
    """A sweep's workers have a clone without history, of a commit that nobody else knows."""
    committed(tmp_path, conf__a="1", conf__b="2")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "what is run", "-m", message_of("ab" * 20, ["conf/a"]))
    assert source_of(tmp_path) == Source("ab" * 20, {"conf/a": sha256("1")})
    (tmp_path / "conf" / "b").write_text("3")
    assert source_of(tmp_path).edits == {"conf/a": sha256("1"), "conf/b": sha256("3")}
