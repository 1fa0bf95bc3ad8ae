"""`make torture`: bad inputs, kills and other faults in one run, each with what was promised for it, and one table."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}

# The libraries read those variables when they are imported.
from tests.torture import dvc_kills, other_faults, stage_kills
from tests.torture.cases import Outcome
from tests.torture.lanes import Say

DVC_SHARE = 10
"""One in so many kills is one of dvc itself."""


SMALL: dict[str, Any] = {
    "stages": (
        "probe",
        "adopt@foreign",
        "preflight@foreign",
        "compare@foreign",
        "build@foreign",
        "attest@foreign",
        "report",
    ),
    "networks": ("foreign",),
    "dear": ("numpy", "onnx", "onnxruntime", "yaml", "PIL.Image", "jinja2"),
}
"""What a minute is enough for: no torch."""


SLOW_S = 10.0
"""A case that took longer is shown as it ends."""


class Table:
    """What was tried and what came of it, by halves."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Outcome]] = defaultdict(list)
        self.began = time.monotonic()

    def say(self, outcome: Outcome) -> None:
        """Keep an outcome; show a broken promise at once, and how far the run is."""
        self.rows[outcome.half].append(outcome)
        count = sum(map(len, self.rows.values()))
        if outcome.missing:
            print(f"NOT RUN {outcome.half}: {outcome.name}: {outcome.missing}", flush=True)
        if outcome.broken:
            print(f"FAILED {outcome.half}: {outcome.name}: {outcome.broken}", flush=True)
        if count % 25 == 0 or outcome.seconds > SLOW_S:
            print(f"{count} in {time.monotonic() - self.began:.0f} s: {outcome.name}", file=sys.stderr, flush=True)

    @property
    def failed(self) -> list[Outcome]:
        """Return those whose promise was not kept."""
        return [outcome for outcomes in self.rows.values() for outcome in outcomes if outcome.broken]

    def print(self) -> None:
        """Print the table."""
        print(f"{'half':30} {'cases':>6} {'kills':>6} {'passed':>7} {'failed':>7} {'not run':>8} {'seconds':>8}")
        for half, outcomes in self.rows.items():
            _print_row(half, outcomes, sum(outcome.seconds for outcome in outcomes))
        every = [outcome for outcomes in self.rows.values() for outcome in outcomes]
        _print_row("all", every, time.monotonic() - self.began)
        times = os.times()
        print(f"{sum(times[:4]):.0f} s of processor time")


def _print_row(half: str, outcomes: list[Outcome], seconds: float) -> None:
    failed = sum(bool(outcome.broken) for outcome in outcomes)
    missing = sum(bool(outcome.missing) for outcome in outcomes)
    kills, passed = sum(outcome.kills for outcome in outcomes), len(outcomes) - failed - missing
    print(f"{half:30} {len(outcomes):6} {kills:6} {passed:7} {failed:7} {missing:8} {seconds:8.0f}")


def main() -> int:
    """Run the halves that were asked for, in folders that are removed at the end."""
    options = _options()
    print(f"seed {options.seed}, {options.kills} kills, {options.jobs} side by side", flush=True)
    table = Table()
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        for half in options.only:
            _HALVES[half](Path(name).resolve(), options, table.say)
    table.print()
    for outcome in table.failed:
        print(f"again: python -m tests.torture --seed {options.seed} --kills {options.kills} --case {outcome.name!r}")
    return 1 if table.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=320, help="processes to kill, dvc itself among them")
    parser.add_argument("--refusals", type=int, default=40, help="writes that the system refuses")
    parser.add_argument("--jobs", type=int, default=2, help="cases side by side")
    parser.add_argument("--small", action="store_true", help="one network, an ONNX file, and no dvc")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    parser.add_argument("--only", nargs="*", default=list(_HALVES), choices=list(_HALVES))
    return parser.parse_args()


def _bad_inputs(_folder: Path, options: argparse.Namespace, say: Say) -> None:
    """Try the bad inputs, where that half is there."""
    if importlib.util.find_spec("tests.torture.bad_inputs") is None:
        return
    bad_inputs = importlib.import_module("tests.torture.bad_inputs")
    began = time.monotonic()
    for name, passed, detail in bad_inputs.run():
        seconds, began = time.monotonic() - began, time.monotonic()
        if options.case in name:
            say(Outcome("bad inputs", name, 0, "" if passed else detail or "failed", seconds))


def _dvc_share(options: argparse.Namespace) -> int:
    return int(options.kills // DVC_SHARE)


def _stages(folder: Path, options: argparse.Namespace, say: Say) -> None:
    if options.small:
        plan = stage_kills.Plan(options.seed, options.kills, options.refusals, options.case, options.jobs, **SMALL)
    else:
        kills = options.kills - _dvc_share(options)
        plan = stage_kills.Plan(options.seed, kills, options.refusals, options.case, options.jobs)
    stage_kills.run(folder, plan, say)


def _dvc(folder: Path, options: argparse.Namespace, say: Say) -> None:
    dvc_kills.run(folder, options.seed, _dvc_share(options), options.jobs, say)


def _others(folder: Path, options: argparse.Namespace, say: Say) -> None:
    other_faults.run(folder, options.case, options.jobs, say)


_HALVES = {"inputs": _bad_inputs, "stages": _stages, "dvc": _dvc, "others": _others}

if __name__ == "__main__":
    sys.exit(main())
