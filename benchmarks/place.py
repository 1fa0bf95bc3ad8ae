"""Where the benchmark works: fresh clones of HEAD below one folder, each with a DVC cache of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cost import Done, run

ROOT = Path(__file__).parents[1]


class Place:
    """A folder, and commands run in it and in clones below it.

    size: overrides of every full-size configuration; none but where the benchmark itself is tried.
    """

    def __init__(self, folder: Path, size: Sequence[str] = ()) -> None:
        self.folder, self.size = folder, tuple(size)

    def clone(self, name: str) -> Path:
        """Return a fresh clone of HEAD; one of that name is thrown away first."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        run(("git", "clone", "-q", str(ROOT), str(path)), ROOT, os.environ)
        return path

    def empty(self, name: str) -> Path:
        """Return an empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def run(self, clone: Path, *command: str, **variables: str) -> Done:
        """Run a command in a clone, with this Python's programs first in PATH.

        Raises:
            CommandError: if it fails.
        """
        return run(command, clone, environment(clone) | variables)


def environment(clone: Path) -> dict[str, str]:
    """Return the environment of a command in a clone: its own state of DVC, the downloads of this checkout."""
    programs = str(Path(sys.executable).parent)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MAKE", "MFLAGS"))}
    return kept | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "ENGINEWRIGHT_CACHE": os.environ.get("ENGINEWRIGHT_CACHE", str(ROOT / ".cache" / "downloads")),
        "DVC_SITE_CACHE_DIR": str(clone / ".cache" / "dvc-site"),
        "DVC_NO_ANALYTICS": "1",
    }
