"""What DVC and separate processes add to the work: `make bench`, or `python -m benchmarks.overhead [ROUNDS]`.

One interleaved run: `dvc status` and an unchanged `dvc repro` in turns; a cold `dvc repro` in a fresh clone and the
stages' own work in one process in turns. Ratios are the result, since seconds depend on the machine and its load.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json
from enginewright.report.table import commit, hardware

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "overhead.json"


def timed(*command: str, folder: Path) -> tuple[float, str]:
    """Return the wall seconds and the standard output of a command that must succeed."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, done.stdout


def _environment(folder: Path) -> dict[str, str]:
    downloads = os.environ.get("ENGINEWRIGHT_CACHE", str(ROOT / ".cache" / "downloads"))
    programs = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "ENGINEWRIGHT_CACHE": downloads,
        "DVC_SITE_CACHE_DIR": str(folder / ".cache" / "dvc-site"),
    }


def cloned(folder: Path) -> Path:
    """Return a fresh clone of HEAD with params.yaml composed and no cache."""
    timed("git", "clone", "-q", str(ROOT), str(folder), folder=ROOT)
    timed("python", "-m", "enginewright.config.compose", folder=folder)
    return folder


def cold(folder: Path) -> tuple[float, float, dict[str, float]]:
    """Return seconds of a cold `dvc repro`, of the stages in one process, and of each stage in that process."""
    clone = cloned(folder / "clone")
    whole, _ = timed("dvc", "repro", "-q", folder=clone)
    work, printed = timed("python", "-m", "benchmarks.one_process", str(folder / "work"), folder=clone)
    return whole, work, json.loads(printed.splitlines()[-1])


def unchanged(clone: Path) -> tuple[float, float]:
    """Return seconds of an unchanged `dvc repro` and of `dvc status`, one after the other."""
    return timed("dvc", "repro", folder=clone)[0], timed("dvc", "status", folder=clone)[0]


def measure(rounds: int) -> dict[str, Any]:
    """Return all figures of `rounds` cold rounds and five times as many unchanged ones."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        colds = [cold(folder / str(number)) for number in range(rounds)]
        noops = [unchanged(folder / "0" / "clone") for _ in range(5 * rounds)]
    return {
        "cold": _pair([row[0] for row in colds], [row[1] for row in colds]),
        "unchanged": _pair([row[0] for row in noops], [row[1] for row in noops]),
        "stages": {stage: round(statistics.median(row[2][stage] for row in colds), 2) for stage in colds[0][2]},
        "commit": commit(),
        "hardware": hardware(),
        "python": platform.python_version(),
    }


def _pair(first: list[float], second: list[float]) -> dict[str, float]:
    """Return both medians, and the median of the ratios of the pairs."""
    ratios = [a / b for a, b in zip(first, second, strict=True)]
    names = ("pipeline_s", "base_s", "ratio")
    return {name: round(statistics.median(row), 2) for name, row in zip(names, (first, second, ratios), strict=True)}


def table(found: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    rows = [
        ("cold `dvc repro` : the stages' own work in one process", found["cold"], 1.3),
        ("unchanged `dvc repro` : `dvc status`", found["unchanged"], 1.6),
    ]
    lines = [
        f"| {name} | {row['pipeline_s']} s | {row['base_s']} s | {row['ratio']} | {most} |" for name, row, most in rows
    ]
    head = "| what | pipeline | base | ratio | at most |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join(lines) + f"\n\nCommit {found['commit']}, {found['hardware']}.\n"


if __name__ == "__main__":
    figures = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    write_json(RESULTS, figures)
    print(table(figures))
