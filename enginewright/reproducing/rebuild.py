"""The whole pipeline in a fresh folder."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from pathlib import Path

from enginewright.checkpoint.cache import cache_folder
from enginewright.errors import BuildError
from enginewright.reproducing.fresh import fresh_checkout
from enginewright.reproducing.surroundings import Surroundings, other_surroundings

_NAME = "another folder, ö"
"""A path that is of another length than most, with a space, a comma and a letter that is not ASCII."""
_LAST = 15


def rebuilt(root: Path, folder: Path, log: Path) -> tuple[Path, Surroundings]:
    """Build everything of the checkout at `root` again below `folder`; return where, and under which surroundings.

    log: file that the run's output goes to.

    Raises:
        ConfigError: if `root` is no git checkout.
        BuildError: if the run fails, with its last lines.
    """
    place, downloads = folder / _NAME, folder / "downloads"
    fresh_checkout(root, place)
    for empty in (folder / "home", folder / "tmp", downloads):
        empty.mkdir()
    if cache_folder().is_dir():
        shutil.copytree(cache_folder(), downloads, dirs_exist_ok=True)
    surroundings = other_surroundings(folder, downloads)
    surroundings.give(folder)
    _run(surroundings, place, log)
    return place, surroundings


def _run(surroundings: Surroundings, place: Path, log: Path) -> None:
    """Run `dvc repro` there, telling each stage as it begins."""
    start, last = time.monotonic(), deque[str](maxlen=_LAST)
    log.parent.mkdir(parents=True, exist_ok=True)
    with surroundings.start([sys.executable, "-m", "dvc", "repro"], place) as process, log.open("w") as file:
        for line in process.stdout or ():
            file.write(line)
            last.append(line)
            if line.startswith("Running stage"):
                print(f"{time.monotonic() - start:5.0f} s  {line.split(chr(39))[1]}", file=sys.stderr, flush=True)
    if process.returncode:
        raise BuildError(
            "the rebuild failed", expected="dvc repro ends with 0", got=f"{process.returncode}:\n{''.join(last)}",
            cure=f"see {log}",
        )  # fmt: skip
