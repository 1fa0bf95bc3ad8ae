"""A variant as a DVC experiment of the user's repository: a commit on the baseline, and DVC's name for it.

The driver alone writes them, from what steps gave; so there is no push that could race, and the checkout stays as it
is. `dvc exp show`, `apply`, `diff` and `push` take them for their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.errors import SweepError
from enginewright.sweeping.git import Git
from enginewright.sweeping.source import BRANCH, Source


class Experiments:
    """Writes experiments into the repository at `root`."""

    def __init__(self, root: Path, source: Source, folder: Path) -> None:
        self._git, self._source = Git(root), source
        self._index = folder / "experiment.index"
        self._git("fetch", "-q", "--no-write-fetch-head", "--no-tags", str(source.repository), BRANCH)

    def save(self, name: str, files: Mapping[str, str]) -> str:
        """Keep a variant under its name and return the commit. The same content again is the same commit.

        files: text by path, of what differs from the tree that the sweep ran on: params.yaml, dvc.lock, .gitignore.
        """
        tree = self._tree(files)
        ref = f"refs/exps/{self._source.baseline[:2]}/{self._source.baseline[2:]}/{name}"
        found = self._kept(ref, tree)
        if found is None:
            found = self._git("commit-tree", "-p", self._source.baseline, "-m", f"sweep: {name}", tree)
            self._git("update-ref", ref, found)
        return found

    def _kept(self, ref: str, tree: str) -> str | None:
        try:
            commit = self._git("rev-parse", "--verify", "-q", f"{ref}^{{commit}}")
            same = self._git("rev-parse", f"{commit}^{{tree}}", f"{commit}^").split() == [tree, self._source.baseline]
        except SweepError:
            return None
        return commit if same else None

    def _tree(self, files: Mapping[str, str]) -> str:
        self._index.unlink(missing_ok=True)
        own = self._git.with_env(GIT_INDEX_FILE=str(self._index))
        own("read-tree", self._source.tree)
        blobs = {path: own("hash-object", "-w", "--stdin", text=text) for path, text in files.items()}
        rows = "".join(f"100644 {blob}\t{path}\n" for path, blob in blobs.items())
        own("update-index", "--add", "--index-info", text=rows)
        tree = own("write-tree")
        self._index.unlink(missing_ok=True)
        return tree


def lock_text(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of dvc.lock with an entry for each stage, written as DVC writes it."""
    from dvc.utils.serialize import dumps_yaml  # type: ignore[import-untyped]

    text: str = dumps_yaml({"schema": "2.0", "stages": json.loads(json.dumps(entries))})
    return text
