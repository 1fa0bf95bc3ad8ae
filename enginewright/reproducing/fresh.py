"""The working tree once more, in a folder that nothing was built in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from enginewright.errors import ConfigError
from enginewright.lineage.commits import edited
from enginewright.lineage.locks import LOCKS


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
        if name not in LOCKS:
            _follow(root / name, folder / name)
    for name in LOCKS:  # a rebuild must come to the same without having seen them
        (folder / name).unlink(missing_ok=True)


def _follow(here: Path, there: Path) -> None:
    if here.is_file():
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here, there)
    else:
        there.unlink(missing_ok=True)
