from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import DataError
from enginewright.pages.files import FolderFiles, commit_of, revision_files
from tests.pages.sample import Repository, params, run_files


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_folder_holds_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.json").write_text("{}")
    files = FolderFiles(tmp_path)
    assert files.below("a") == ["a/b/c.json"]
    assert files.below("nothing") == []
    assert files.read("a/b/c.json") == b"{}"
    assert files.read("a/b") is None
    assert files.absent() == []


def test_a_revision_holds_what_its_lock_names_and_what_git_tracks(repository: Repository) -> None:
    wanted = run_files()
    commit = repository.commit(params(), wanted)
    repository.commit(params(), {})
    files = revision_files(repository.path, commit, repository.cache)
    assert {path: files.read(path) for path in wanted} == wanted
    assert files.below("plots/disk_lightglue") == sorted(path for path in wanted if path.startswith("plots/disk_lig"))
    assert b"disk_lightglue" in (files.read("params.yaml") or b"")
    assert files.read("nothing.json") is None
    assert files.absent() == []


def test_what_the_cache_lacks_is_told_and_is_no_error(repository: Repository) -> None:
    commit = repository.commit(params(), {"metrics/disk/swap.json": b"{}"})
    for path in repository.cache.rglob("*"):
        if path.is_file():
            path.unlink()
    files = revision_files(repository.path, commit, repository.cache)
    assert files.read("metrics/disk/swap.json") is None
    assert files.read("metrics/disk/swap.json") is None
    assert files.absent() == ["metrics/disk/swap.json"]


def test_an_experiment_is_found_by_its_name_the_newest_of_two(repository: Repository) -> None:
    first = repository.commit(params(), {}, "mine")
    assert commit_of(repository.path, "mine") == first
    assert commit_of(repository.path, first[:8]) == first
    assert commit_of(repository.path, "main") == repository.git("rev-parse", "main")


@pytest.mark.parametrize("name", ["nothing", "--all", "HEAD~9", ""])
def test_what_git_does_not_know_is_named(repository: Repository, name: str) -> None:
    repository.commit(params(), {})
    with pytest.raises(DataError, match="there is no revision"):
        commit_of(repository.path, name)


def test_a_revision_that_never_ran_is_named(repository: Repository) -> None:
    (repository.path / "a").touch()
    repository.git("add", "a")
    repository.git("commit", "-qm", "a")
    with pytest.raises(DataError, match=r"HEAD has no dvc\.lock"):
        revision_files(repository.path, "HEAD", repository.cache)
