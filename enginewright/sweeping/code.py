"""A worker's clone has its code from git and never another: DVC need not look at it again in every step.

DVC hashes what a stage depends on four times a step: is it as recorded, is it in the run cache, what goes into the
lock, what goes into the run cache. Most of that are folders of code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from dvc.dependency.base import Dependency  # type: ignore[import-untyped]

from enginewright.sweeping.git import Git

_MADE_ANEW = frozenset({"params.yaml", "dvc.lock"})
"""What git tracks and each variant has its own of."""


def hash_code_once(git: Git, outs: Callable[[], Iterable[str]]) -> None:
    """Let this process look once at each dependency that lies in a top-level folder of git's where no stage writes.

    git: that of the clone. outs: gives the paths that stages write now, relative to it.
    """
    usual: Callable[..., Any] = Dependency._build
    tops = set(git("ls-tree", "--name-only", "HEAD").splitlines()) - _MADE_ANEW
    known: dict[tuple[str, str], Any] = {}

    def build(self: Any, odb: Any, path: str, fs: Any, name: str, **options: Any) -> Any:
        if type(self) is not Dependency or _top(self.def_path) not in tops.difference(map(_top, outs())):
            return usual(self, odb, path, fs, name, **options)
        if (path, name) not in known:
            known[path, name] = usual(self, odb, path, fs, name, **options)
        return known[path, name]

    Dependency._build = build


def _top(path: str) -> str:
    return PurePosixPath(path).parts[0]
