"""Code is hashed once, what stages write each time."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from dvc.dependency.base import Dependency  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.sweeping.code import hash_code_once
from enginewright.sweeping.git import Git

STAGES = """
stages:
  one:
    cmd: "true"
    deps: [code, loose, made/in.txt, params.yaml]
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.chdir(tmp_path)
    for name in ("code/a.py", "code/deep/b.py", "loose/c.txt", "made/in.txt", "params.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text(STAGES, encoding="utf-8")
    for words in (
        ("git", "init", "-q"),
        ("dvc", "init", "-q"),
        ("git", "add", "code", "made", "dvc.yaml", "params.yaml"),
    ):
        subprocess.run(words, cwd=tmp_path, check=True)
    Git(tmp_path, GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@a", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@a")(
        "commit", "-q", "-m", "all"
    )
    return Repo(str(tmp_path))


@pytest.fixture
def hashed(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Install it until the test ends; return a list that grows with each path that DVC itself hashes."""
    found: list[str] = []
    usual = Dependency._build

    def noted(self: Any, *given: Any, **options: Any) -> Any:
        found.append(self.def_path)
        return usual(self, *given, **options)

    monkeypatch.setattr(Dependency, "_build", noted)
    hash_code_once(Git(Path(repo.root_dir)), lambda: ["made/out.txt"])
    return found


def hashes(repo: Repo) -> dict[str, str]:
    repo._reset()
    (stage,) = repo.stage.collect("one")
    return {dep.def_path: dep.get_hash().value for dep in stage.deps}


def test_only_code_of_git_is_hashed_once(repo: Repo, hashed: list[str]) -> None:
    first = hashes(repo)
    assert sorted(hashed) == ["code", "loose", "made/in.txt", "params.yaml"]
    hashed.clear()
    assert hashes(repo) == first
    assert sorted(hashed) == ["loose", "made/in.txt", "params.yaml"]


def test_what_changes_is_seen(repo: Repo, hashed: list[str]) -> None:
    first = hashes(repo)
    for name in ("loose/c.txt", "made/in.txt", "params.yaml"):
        Path(repo.root_dir, name).write_text("a: 2\n", encoding="utf-8")
    second = hashes(repo)
    assert {name for name in first if first[name] != second[name]} == {"loose", "made/in.txt", "params.yaml"}


def test_the_hash_is_dvcs_own(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = hashes(repo)
    monkeypatch.setattr(Dependency, "_build", Dependency._build)
    hash_code_once(Git(Path(repo.root_dir)), lambda: ["made/out.txt"])
    assert hashes(repo) == hashes(repo) == plain
