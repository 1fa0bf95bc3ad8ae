"""What differs between two hashes of a dependency: files of a folder, versions in a probe file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from enginewright.explaining.changes import Change, Kind, arrow, as_words, short
from enginewright.explaining.folders import Listing, file_change, folder_changes
from enginewright.explaining.values import leaves

PROBE = "probe/"
"""What the paths of files begin with that hold the versions of tools, or the GPU."""


class Source(Protocol):
    """A place that may still have a file or a folder as it was."""

    def listing(self, path: str, md5: str) -> Listing | None:
        """Return what the folder `path` held when its hash was `md5`, or None."""

    def content(self, path: str, md5: str) -> bytes | None:
        """Return what the file `path` held when its hash was `md5`, or None."""


class Contents:
    """Several places, asked one after the other."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def listing(self, path: str, md5: str) -> Listing | None:
        """Return what the folder `path` held when its hash was `md5`, or None."""
        return next((found for source in self._sources if (found := source.listing(path, md5)) is not None), None)

    def content(self, path: str, md5: str) -> bytes | None:
        """Return what the file `path` held when its hash was `md5`, or None."""
        contents = (source.content(path, md5) for source in self._sources)
        return next((data for data in contents if data is not None), None)

    def json(self, path: str, md5: str) -> Mapping[str, Any] | None:
        """Return the JSON object that the file held when its hash was `md5`, or None."""
        found = self.content(path, md5)
        value = json.loads(found) if found is not None else None
        return value if isinstance(value, dict) else None


def dependency_changes(path: str, old: str | None, new: str | None, contents: Contents) -> list[Change]:
    """Return what differs in a dependency, by its hashes before and after; None where it is not there.

    A folder gives a change for each file, a probe file one for each version; both by their hashes alone where neither
    cache nor git has them any more.
    """
    if old is not None and new is not None and path.startswith(PROBE):
        return _tool_changes(path, old, new, contents)
    if old is not None and new is not None and old.endswith(".dir") and new.endswith(".dir"):
        return _folder_changes(path, old, new, contents)
    return [file_change(path, old, new)]


def _tool_changes(path: str, old: str, new: str, contents: Contents) -> list[Change]:
    before, after = contents.json(path, old), contents.json(path, new)
    if before is None or after is None:
        known = after if after is not None else before
        side = "now" if after is not None else "was"
        words = f"; {side}: {as_words(known)}" if known is not None else ""
        return [Change(Kind.tool, path, f"{short(old)} -> {short(new)}{words}")]
    return [Change(Kind.tool, f"{path}: {key}", arrow(*pair)) for key, *pair in leaves(before, after)]


def _folder_changes(path: str, old: str, new: str, contents: Contents) -> list[Change]:
    before, after = contents.listing(path, old), contents.listing(path, new)
    if before is None or after is None:
        how = f"modified {short(old)} -> {short(new)}; in which files is not known: no commit has it as it was"
        return [Change(Kind.file, f"{path}/", how)]
    return folder_changes(path, before, after)
