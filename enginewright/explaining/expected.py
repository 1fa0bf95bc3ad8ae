"""What hash a dependency will have when its stage's turn comes."""

from __future__ import annotations

from collections.abc import Mapping

from enginewright.explaining.folders import digest_of
from enginewright.explaining.places import Cache, WorkingTree
from enginewright.lineage.paths import overlap


class Expected:
    """The working tree with the outputs in it that earlier stages restore from the cache."""

    def __init__(self, tree: WorkingTree, cache: Cache) -> None:
        self._tree, self._cache = tree, cache
        self._restored: dict[str, str] = {}
        self._stage_of: dict[str, str] = {}

    def restore(self, stage: str, outs: Mapping[str, str]) -> None:
        """Note that a stage restores these outputs, hash by path."""
        self._restored |= outs
        self._stage_of |= dict.fromkeys(outs, stage)

    def rewritten(self, stage: str, path: str) -> bool:
        """Return whether the stage restores something in `path` that lies there otherwise."""
        return any(
            self._stage_of[out] == stage and overlap(out, path) and self._tree.hash(out) != md5
            for out, md5 in self._restored.items()
        )

    def hash(self, path: str) -> str | None:
        """Return the hash of a file or folder, None where it will not be there."""
        touching = {out: md5 for out, md5 in self._restored.items() if overlap(out, path)}
        if path in touching or not touching:
            return touching.get(path) or self._tree.hash(path)
        around = next((out for out in touching if path.startswith(f"{out}/")), None)
        return self._inside(path, around, touching[around]) if around else self._merged(path, touching)

    def _inside(self, path: str, folder: str, md5: str) -> str | None:
        return (self._cache.listing(folder, md5) or {}).get(path.removeprefix(f"{folder}/"))

    def _merged(self, folder: str, restored: Mapping[str, str]) -> str:
        """Return the hash of a folder in which some files or folders are restored."""
        files = dict(self._tree.files(folder))
        for out, md5 in restored.items():
            name = out.removeprefix(f"{folder}/")
            files = {key: value for key, value in files.items() if not f"{key}/".startswith(f"{name}/")}
            inner = (self._cache.listing(out, md5) or {}) if md5.endswith(".dir") else {"": md5}
            files |= {f"{name}/{key}".rstrip("/"): value for key, value in inner.items()}
        return digest_of(files)
