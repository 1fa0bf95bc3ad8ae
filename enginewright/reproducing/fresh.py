"""The working tree once more, in a folder that nothing was built in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from enginewright.errors import ConfigError

LOCKS = ("dvc.lock", "machine/dvc.lock")
"""What the pipeline writes: a rebuild must come to the same without having seen them."""


def fresh_checkout(root: Path, folder: Path) -> None:
    """Write the checkout at `root`, with its uncommitted edits and without its locks, into the new `folder`.

    Raises:
        ConfigError: if `root` is no git checkout.
    """
    done = subprocess.run(
        ["git", "clone", "--quiet", "--no-hardlinks", str(root), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(
            "the working tree cannot be cloned", expected="a git checkout with a commit", got=done.stderr.strip()
        )
    for name in edited(root):
        _follow(root / name, folder / name)
    for name in LOCKS:
        (folder / name).unlink(missing_ok=True)


def edited(root: Path) -> list[str]:
    """Return the files that differ from the commit, params.yaml too, and new ones unless git ignores them."""
    changed = _git(root, "diff", "--name-only", "--no-renames", "-z", "HEAD")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return [name for name in (*changed, *new) if name not in LOCKS]


def _follow(here: Path, there: Path) -> None:
    if here.is_file():
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here, there)
    else:
        there.unlink(missing_ok=True)


def _git(root: Path, *words: str) -> list[str]:
    found = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in found.split("\0") if name]
