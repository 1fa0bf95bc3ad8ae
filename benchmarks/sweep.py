"""What a sweep adds to its distinct steps, what a second worker gains, and whether Ray gives the same artifacts.

    python -m benchmarks.sweep one two repeat ray [-- OVERRIDES]

Each part runs the sweep opset_precision in a fresh clone with an empty cache, but for `repeat`, which runs that of
`one` again. `ray` runs it on three workers with clones and caches of their own and kills one half way. Figures of the
parts that ran are put into benchmarks/sweep.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.killing import kill_a_worker_half_way
from benchmarks.place import ROOT, environment
from enginewright.artifacts import read_json, write_json
from enginewright.errors import ConfigError, exit_with
from enginewright.lineage.commits import head
from enginewright.report.table import hardware

RESULTS = ROOT / "benchmarks" / "sweep.json"
NAME = "opset_precision"
PARTS = ("one", "two", "repeat", "ray")


class Bench:
    """Clones below `folder`, and the sweep in them."""

    def __init__(self, folder: Path, overrides: list[str]) -> None:
        self._folder, self._overrides = folder, overrides

    def one(self) -> dict[str, Any]:
        """One worker, nothing cached."""
        return self._figures(self._clone("one"), "--workers", "1")

    def two(self) -> dict[str, Any]:
        """Two workers, nothing cached."""
        return self._figures(self._clone("two"), "--workers", "2")

    def repeat(self) -> dict[str, Any]:
        """The sweep of `one` again."""
        return self._figures(self._clone("one"), "--workers", "1")

    def ray(self) -> dict[str, Any]:
        """Three workers on Ray, one of which is killed; whether every artifact has the hash that `one` gave it."""
        clone = self._clone("ray")
        remote = str(self._folder / "remote")
        _run(clone, "dvc", "remote", "add", "--local", "-d", "-f", "meeting", remote)
        nodes = self._folder / "nodes"
        words = ("--workers", "3", "--engine", "ray", "--folder", str(nodes))
        found = self._figures(clone, *words, beside=lambda: kill_a_worker_half_way(clone / "sweeps" / NAME, nodes))
        first, other = _artifacts(self._clone("one")), _artifacts(clone)
        same = sum(other.get(path) == digest for path, digest in first.items())
        return {**found, "artifacts": len(first), "artifacts_with_the_hash_of_one": same}

    def _clone(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_dir():
            _run(ROOT, "git", "clone", "-q", str(ROOT), str(path))
        return path

    def _figures(self, clone: Path, *words: str, beside: Callable[[], Any] | None = None) -> dict[str, Any]:
        """Run the sweep and return wall seconds, the sum of its distinct steps and their ratio."""
        start = time.monotonic()
        command = [sys.executable, "-m", "enginewright.sweeping", "--sweep", NAME, *words, *self._overrides]
        with subprocess.Popen(command, cwd=clone, env=environment(clone)) as process:
            extra = {"killed": beside()} if beside else {}
        wall = time.monotonic() - start
        return {"exit_status": process.returncode, **_read(clone, wall), **extra}


def _read(clone: Path, wall: float) -> dict[str, Any]:
    results = read_json(clone / "sweeps" / NAME / "results.json")
    steps = {step["key"]: step for row in results["variants"] for step in row["steps"]}
    ran = [step["seconds"] for step in steps.values() if step["ran"]]
    states = [row["state"] for row in results["variants"]]
    return {
        "wall_s": round(wall, 1),
        "steps_s": round(sum(ran), 1),
        "wall_to_steps": round(wall / sum(ran), 3) if ran else None,
        "distinct_steps": len(steps),
        "steps_run": len(ran),
        "steps_without_sharing": sum(len(row["steps"]) for row in results["variants"]),
        "variants": {state: states.count(state) for state in sorted(set(states))},
        "workers": results["workers"],
        "commit": head(clone)[0],
    }


def _artifacts(clone: Path) -> dict[str, str]:
    """Return the hash of every file below weights/ of every variant's experiment, by variant and path.

    Statements are left out: they tell of the run too, of its commit, machine and times.
    """
    found: dict[str, str] = {}
    for row in read_json(clone / "sweeps" / NAME / "results.json")["variants"]:
        lock = yaml.safe_load(_run(clone, "git", "show", f"{row['experiment']}:dvc.lock"))
        outs = [out for stage in lock["stages"].values() for out in stage["outs"]]
        files = [out for out in outs if out["path"].startswith("weights/") and not out["path"].endswith(".intoto.json")]
        found |= {f"{row['name']}:{out['path']}": out["md5"] for out in files}
    return found


def _run(folder: Path, *command: str) -> str:
    return subprocess.run(
        command, cwd=folder, env=environment(folder), check=True, capture_output=True, text=True
    ).stdout


def main(arguments: list[str]) -> None:
    """Run the parts that are named, in order, and keep their figures."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parts, overrides = arguments[:cut], arguments[cut + 1 :]
    if unknown := sorted({*parts} - {*PARTS}):
        raise ConfigError("unknown parts", expected=", ".join(PARTS), got=", ".join(unknown))
    folder = Path(os.environ.get("SWEEP_BENCH_FOLDER") or tempfile.mkdtemp(prefix="sweep-bench-"))
    bench = Bench(folder, overrides)
    for part in parts or PARTS:
        found = getattr(bench, part)()
        old = read_json(RESULTS) if RESULTS.is_file() else {}
        write_json(RESULTS, {**old, part: {**found, "hardware": hardware(), "overrides": " ".join(overrides)}})
        print(json.dumps({part: found}, indent=1))


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
