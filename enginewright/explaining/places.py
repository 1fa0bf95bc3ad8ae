"""Where files and folders are hashed and read now: the working tree and DVC's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc_data.hashfile.build import build
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError

from enginewright.explaining.folders import Listing, digest_of, listing_of


def md5_of(data: bytes) -> str:
    """Return the hash that DVC gives a file of these bytes."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class WorkingTree:
    """The files of a repository as they lie there.

    foreseen: bytes by path of files that will be written anew before any stage reads them, the probe's.
    """

    def __init__(self, repo: Repo, foreseen: Mapping[str, bytes] | None = None) -> None:
        self._repo = repo
        self._root = Path(repo.root_dir)
        self._foreseen = foreseen or {}
        self._found: dict[str, Tree | str | None] = {}

    def hash(self, path: str) -> str | None:
        """Return the hash of a file or folder, None if it is not there."""
        if path in self._foreseen:
            return md5_of(self._foreseen[path])
        found = self._built(path)
        return found if found is None or isinstance(found, str) else str(found.oid)

    def listing(self, path: str, md5: str) -> Listing | None:
        """Return what the folder holds if its hash is `md5`."""
        found = self.files(path)
        return found if found and digest_of(found) == md5 else None

    def files(self, path: str) -> Listing:
        """Return what the folder holds, nothing if it is not there."""
        found = self._built(path)
        return listing_of(found) if isinstance(found, Tree) else {}

    def content(self, path: str, md5: str) -> bytes | None:
        """Return the bytes of a file, as it lies there or as it is foreseen, if their hash is `md5`."""
        file = self._root / path
        known = [self._foreseen.get(path), file.read_bytes() if file.is_file() else None]
        return next((data for data in known if data is not None and md5_of(data) == md5), None)

    def _built(self, path: str) -> Tree | str | None:
        if path not in self._found:
            self._found[path] = self._build(path)
        return self._found[path]

    def _build(self, path: str) -> Tree | str | None:
        cache, where = self._repo.cache.local, str(self._root / path)
        try:
            _, _, found = build(cache, where, self._repo.fs, "md5", ignore=self._repo.dvcignore, dry_run=True)
        except FileNotFoundError:
            return None
        return found if isinstance(found, Tree) else str(found.oid)


class Cache:
    """What DVC's cache of this repository still has."""

    def __init__(self, repo: Repo) -> None:
        self._objects = repo.cache.local

    def has(self, md5: str) -> bool:
        """Return whether a file, or a folder with every file in it, can be restored."""
        if not md5 or not self._objects.exists(md5):
            return False
        listing = self.listing("", md5) if md5.endswith(".dir") else {}
        return listing is not None and all(self._objects.exists(item) for item in listing.values())

    def listing(self, path: str, md5: str) -> Listing | None:
        """Return the files of a folder by its hash alone, None if the cache does not have it."""
        try:
            return listing_of(Tree.load(self._objects, HashInfo("md5", md5)))
        except (FileNotFoundError, ObjectFormatError):
            return None

    def content(self, path: str, md5: str) -> bytes | None:
        """Return the bytes of a file by its hash alone, None if the cache does not have it."""
        file = Path(self._objects.oid_to_path(md5))
        return file.read_bytes() if file.is_file() else None
