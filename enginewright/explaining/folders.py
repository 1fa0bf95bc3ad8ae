"""What lies in a folder, as DVC hashes it, and how two states of one differ."""

from __future__ import annotations

from collections.abc import Mapping

from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from enginewright.explaining.changes import Change, Kind, short

Listing = Mapping[str, str]
"""MD5 of each file of a folder by its path in there."""


def digest_of(listing: Listing) -> str:
    """Return the hash that DVC gives a folder of these files."""
    tree = Tree()  # type: ignore[no-untyped-call]
    for path, md5 in listing.items():
        tree.add(tuple(path.split("/")), None, HashInfo("md5", md5))
    tree.digest()
    return str(tree.oid)


def listing_of(tree: Tree) -> dict[str, str]:
    """Return the listing of a folder that DVC hashed or keeps."""
    return {"/".join(parts): str(found.value) for parts, _, found in tree if found}


def file_change(path: str, old: str | None, new: str | None) -> Change:
    """Return the change of one file by its hashes; None where there is none."""
    if old is None:
        return Change(Kind.file, path, f"added ({short(new or '')})")
    if new is None:
        return Change(Kind.file, path, f"removed (was {short(old)})")
    return Change(Kind.file, path, f"modified {short(old)} -> {short(new)}")


def folder_changes(path: str, old: Listing, new: Listing) -> list[Change]:
    """Return a change for each file that differs between two states of the folder `path`."""
    names = sorted({*old, *new})
    return [
        file_change(f"{path}/{name}", old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
    ]
