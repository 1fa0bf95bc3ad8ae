"""DVC's run-cache: a folder for a stage and its inputs, with an entry for each result.

DVC makes the folder first. Where a kill comes before the entry, every later run of that stage ends with a TypeError,
since DVC takes the newest entry of a folder that has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

RUNS = Path(".dvc/cache/runs")


def empty_runs(root: Path = Path()) -> Iterator[Path]:
    """Yield the folders of runs that have no entry."""
    for folder in sorted((root / RUNS).glob("??/*")):
        if folder.is_dir() and not any(folder.iterdir()):
            yield folder


def mend_runs() -> list[str]:
    """Remove folders of runs without an entry, and say so."""
    found = list(empty_runs())
    for folder in found:
        folder.rmdir()
    return [f"{len(found)} empty folders in {RUNS}, of killed runs: removed"] if found else []
