"""Where the files of a run lie: in a folder, or in the DVC cache under the hashes of a revision's dvc.lock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from enginewright.config.yaml_text import load_yaml
from enginewright.errors import DataError
from enginewright.lineage.commits import file_at


class Files(Protocol):
    """The files of a run, by their paths in the repository."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""

    def below(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder, in alphabetical order."""

    def absent(self) -> list[str]:
        """Return the paths that a read asked for, that exist, and that this machine does not have."""


@dataclass(frozen=True)
class FolderFiles:
    """The files below `root`: a checkout, or what a failed variant left."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""
        file = self.root / path
        return file.read_bytes() if file.is_file() else None

    def below(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder, in alphabetical order."""
        found = (path for path in (self.root / folder).rglob("*") if path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def absent(self) -> list[str]:
        """Return nothing: what is not in the folder does not exist."""
        return []


@dataclass
class RevisionFiles:
    """The files of a git revision. What DVC tracks comes from its cache: no checkout is made and nothing is pulled.

    hashes: MD5 by path, of the outputs in dvc.lock, those in folders included.
    """

    repository: Path
    revision: str
    cache: Path
    hashes: dict[str, str]
    lost: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""
        if path not in self.hashes:
            return file_at(self.repository, self.revision, path)
        data = cached(self.cache, self.hashes[path])
        if data is None and path not in self.lost:
            self.lost.append(path)
        return data

    def below(self, folder: str) -> list[str]:
        """Return the paths of all tracked outputs below a folder, in alphabetical order."""
        return sorted(path for path in self.hashes if path.startswith(f"{folder}/"))

    def absent(self) -> list[str]:
        """Return the outputs that were asked for and that the cache does not have."""
        return list(self.lost)


def revision_files(repository: Path, revision: str, cache: Path) -> RevisionFiles:
    """Return the files of a revision.

    cache: DVC's folder of objects by MD5.

    Raises:
        DataError: if git does not know the revision, or it has no dvc.lock.
    """
    commit = commit_of(repository, revision)
    lock = file_at(repository, commit, "dvc.lock")
    if lock is None:
        raise DataError(f"{revision} has no dvc.lock", expected="a revision that ran", cure="dvc repro, and commit")
    return RevisionFiles(repository, commit, cache, hashes_in(load_yaml(lock), cache))


def hashes_in(lock: Mapping[str, Any], cache: Path) -> dict[str, str]:
    """Return MD5 by path of all outputs in a lock file; a folder's files come from its listing in the cache."""
    outs = [out for stage in (lock or {}).get("stages", {}).values() for out in stage.get("outs", [])]
    found: dict[str, str] = {}
    for out in outs:
        path, md5 = str(out["path"]), str(out["md5"])
        found |= _in_folder(path, md5, cache) if md5.endswith(".dir") else {path: md5}
    return found


def _in_folder(path: str, md5: str, cache: Path) -> dict[str, str]:
    listing = cached(cache, md5)
    if listing is None:
        return {path: md5}
    return {f"{path}/{entry['relpath']}": str(entry["md5"]) for entry in json.loads(listing)}


def cached(cache: Path, md5: str) -> bytes | None:
    """Return the bytes of an object of the DVC cache, or None where it is not there."""
    file = cache / md5[:2] / md5[2:]
    return file.read_bytes() if file.is_file() else None


def commit_of(repository: Path, revision: str) -> str:
    """Return the commit that a branch, tag, hash or name of a DVC experiment stands for.

    Raises:
        DataError: if there is none.
    """
    for name in (revision, *_experiments(repository, revision)):
        found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
    raise DataError(
        f"there is no revision {revision}",
        expected="a commit, branch, tag or the name of an experiment",
        cure="git log, or dvc exp list --all-commits",
    )


def _experiments(repository: Path, name: str) -> list[str]:
    """Return the refs of experiments of this name, the newest first: names may come again on another commit."""
    found = _git(repository, "for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps")
    refs = found.stdout.decode().split()
    return [ref for ref in refs if ref.rpartition("/")[2] == name and not ref.startswith("refs/exps/exec/")]


def _git(repository: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *words], cwd=repository, capture_output=True, check=False)
