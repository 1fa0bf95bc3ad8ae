"""Hashes as DVC writes them, of the bytes that lie there: neither its state database nor a file's mode is believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from enginewright.artifacts import md5_of

_WORKERS = 2
"""Hashing frees the interpreter, and two threads already wait for most disks."""

_IGNORED = (".git", ".hg", ".dvc")
"""Folders that DVC never looks into."""

FOLDER = ".dir"
"""How the hash of a folder ends."""


class Tree:
    """Files and folders below `root`, each hashed once, without what .dvcignore names."""

    def __init__(self, root: Path) -> None:
        from pathspec import PathSpec

        self.root = root
        ignore = root / ".dvcignore"
        lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
        self._ignored = PathSpec.from_lines("gitignore", [*_IGNORED, *lines])
        self._known: dict[str, str] = {}

    def hash_all(self, paths: Iterable[str]) -> None:
        """Hash the files and the files of the folders side by side, for `hash` to find."""
        files = {file for path in paths for file in self._files(path)} - self._known.keys()
        with ThreadPoolExecutor(_WORKERS) as pool:
            ordered = sorted(files)
            self._known |= zip(ordered, pool.map(md5_of, (self.root / file for file in ordered)), strict=True)

    def hash(self, path: str) -> str | None:
        """Return the hash of a file or a folder, None if it is not there."""
        place = self.root / path
        if place.is_dir():
            self.hash_all([path])
            start = len(path.rstrip("/")) + 1
            return folder_md5({file[start:]: self._known[file] for file in self._files(path)})
        if not place.is_file():
            return None
        self.hash_all([path])
        return self._known[path]

    def size(self, path: str) -> int | None:
        """Return the bytes of a file or of all files in a folder, None if it is not there."""
        files = self._files(path)
        return sum((self.root / file).stat().st_size for file in files) if (self.root / path).exists() else None

    def _files(self, path: str) -> list[str]:
        place = self.root / path
        if not place.is_dir():
            return [path] if place.is_file() else []
        found = (file.relative_to(self.root).as_posix() for file in place.rglob("*") if file.is_file())
        return sorted(file for file in found if not self._ignored.match_file(file))


def folder_md5(files: Mapping[str, str]) -> str:
    """Return the hash that DVC gives a folder with these files, MD5 by path in it."""
    listing = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    data = json.dumps(listing, sort_keys=True).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest() + FOLDER


def listing_in(data: bytes) -> dict[str, str]:
    """Return MD5 by path of the files that a folder's object names.

    Raises:
        ValueError: if it is no listing.
    """
    rows: Any = json.loads(data)
    try:
        return {str(row["relpath"]): str(row["md5"]) for row in rows}
    except (KeyError, TypeError) as error:
        raise ValueError(f"no listing of a folder: {error}") from error
