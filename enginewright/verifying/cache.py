"""The objects of DVC's cache, hashed again: DVC believes those that are read-only, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from enginewright.artifacts import md5_of
from enginewright.verifying.checks import Check, failed, missing, passed
from enginewright.verifying.hashing import FOLDER, Tree, listing_in
from enginewright.verifying.locks import Entry, Locked

GROUP = "cache"
_WORKERS = 2
_TEMPORARY = (".tmp", ".unpacked")


def objects_folder(root: Path) -> Path:
    """Return DVC's folder of objects by MD5, wherever its configuration has put it."""
    from dvc.config import Config  # type: ignore[import-untyped]

    config = Config(str((root / ".dvc").resolve()), validate=False)
    folder = str(config["cache"].get("dir", "cache"))
    return root / ".dvc" / folder / "files" / "md5"


def check_named(entries: Mapping[str, Entry], objects: Path, tree: Tree) -> Iterator[Check]:
    """Yield a check for each object that a lock names, those in folders included."""
    outs = {out.md5: out for entry in entries.values() for out in entry.outs}
    whole = {md5: (out, out.path) for md5, out in outs.items()}
    for md5, out in outs.items():
        if md5.endswith(FOLDER):
            whole |= {inner: (out, f"{out.path}/{name}") for name, inner in _listing(objects, md5).items()}
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(lambda md5: _hash(objects, md5), whole)
    for (md5, (out, path)), real in zip(whole.items(), found, strict=True):
        yield _object(place_of(objects, md5), md5, real, (out, path), tree)


def _object(place: Path, md5: str, real: str | None, named: tuple[Locked, str], tree: Tree) -> Check:
    out, path = named
    name = f"{_short(place, tree.root)} ({path})"
    if real is None:
        cure = f"dvc commit --force {out.stage}" if tree.hash(path) == md5.removesuffix(FOLDER) else ""
        return missing(GROUP, name, "the cache does not have it, so nothing here could restore it", cure)
    if real == md5.removesuffix(FOLDER):
        return passed(GROUP, name)
    whole = tree.hash(out.path) == out.md5
    cure = f"rm -f {_short(place, tree.root)} && " + (f"dvc commit --force {out.stage}" if whole else "make repro")
    return failed(GROUP, name, f"its bytes have the MD5 {real}, and DVC would believe them", cure)


def check_all(objects: Path, root: Path) -> Iterator[Check]:
    """Yield a check for each object there is, of whatever run."""
    places = sorted(path for path in objects.glob("??/*") if path.is_file() and path.suffix not in _TEMPORARY)
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(md5_of, places)
    for place, real in zip(places, found, strict=True):
        name = _short(place, root)
        if real == (place.parent.name + place.name).removesuffix(FOLDER):
            yield passed(GROUP, name)
        else:
            cure = f"rm -f {name}; make verify says whether this run needs it"
            yield failed(GROUP, name, f"its bytes have the MD5 {real}, and DVC would believe them", cure)


def place_of(objects: Path, md5: str) -> Path:
    """Return the file of an object."""
    return objects / md5[:2] / md5[2:]


def _hash(objects: Path, md5: str) -> str | None:
    place = place_of(objects, md5)
    return md5_of(place) if place.is_file() else None


def _listing(objects: Path, md5: str) -> dict[str, str]:
    """Return what a folder's object names; a broken one names nothing and is told of by its own hash."""
    try:
        return listing_in(place_of(objects, md5).read_bytes())
    except (OSError, ValueError):
        return {}


def _short(place: Path, root: Path) -> str:
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)
