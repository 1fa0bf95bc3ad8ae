"""Files and folders as they once were, found in git by the hash that dvc.lock holds of them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from enginewright.explaining.folders import Listing, digest_of

_COMMITS = 500
"""How many commits that touched a path are looked at, newest first."""


class History:
    """The commits of the repository in `root`, experiments included."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._md5 = cache(self._md5_of)
        self._listing = cache(self._listing_at)

    def listing(self, path: str, md5: str) -> Listing | None:
        """Return what the folder held when DVC hashed it to `md5`, or None if no commit has it so."""
        return next((found for tree in self._objects(path) if digest_of(found := self._listing(tree)) == md5), None)

    def content(self, path: str, md5: str) -> bytes | None:
        """Return what the file held when DVC hashed it to `md5`, or None if no commit has it so."""
        return next((self._blob(blob) for blob in self._objects(path) if self._md5(blob) == md5), None)

    def _objects(self, path: str) -> Iterator[str]:
        """Yield the git object of `path` in each commit that touched it, every one once."""
        commits = self._git("log", "--all", f"--max-count={_COMMITS}", "--format=%H", "--", path).split()
        names = "".join(f"{commit}:{path}\n" for commit in commits)
        found = self._git("cat-file", "--batch-check=%(objectname)", given=names).splitlines()
        yield from dict.fromkeys(name for name in found if not name.endswith(" missing"))

    def _listing_at(self, tree: str) -> Listing:
        rows = self._git("ls-tree", "-r", "-z", tree).split("\0")
        entries = [(facts.split(), path) for facts, _, path in (row.partition("\t") for row in rows if row)]
        return {path: self._md5(name) for (_, kind, name), path in entries if kind == "blob"}

    def _md5_of(self, blob: str) -> str:
        return hashlib.md5(self._blob(blob), usedforsecurity=False).hexdigest()

    def _blob(self, blob: str) -> bytes:
        return subprocess.run(["git", "cat-file", "blob", blob], cwd=self._root, capture_output=True, check=True).stdout

    def _git(self, *words: str, given: str = "") -> str:
        """Return what git prints: nothing where there is no repository, since then no commit has anything."""
        return subprocess.run(
            ["git", *words], cwd=self._root, input=given, capture_output=True, check=False, encoding="utf-8"
        ).stdout
