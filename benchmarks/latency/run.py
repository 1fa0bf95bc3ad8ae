"""Runs a bundle: groups of contestants one after another, each contestant a process, every result written at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.latency.contestant import Spec
from benchmarks.latency.process import NoAnswerError, Process, worker
from benchmarks.latency.rounds import in_turns, summary
from enginewright.artifacts import read_json, write_json
from enginewright.errors import ConfigError
from enginewright.verdicts import PASSED, Verdict, not_run

_WATCHED = 2
_TURN_S, _KERNELS_S, _PEAKS_S = 20.0, 40.0, 60.0

Start = Callable[[Spec], Process]


class Run:
    """A run in the making. results: where it is written, after every step, so that a cut leaves what there was."""

    def __init__(self, results: Path, where: dict[str, Any], start: Start, until: float) -> None:
        self.results, self.start, self.until = results, start, until
        self.found: dict[str, Any] = {"where": where, "peaks": {}, "rows": [], "kernels": {}}

    @property
    def left(self) -> float:
        """Return the seconds that are left for the whole run."""
        return self.until - time.monotonic()

    def write(self) -> None:
        """Write what there is."""
        write_json(self.results, self.found)

    def peaks(self) -> None:
        """Measure what the GPU gives at most."""
        process = self.start(Spec("peaks", "peaks", "peaks"))
        row: dict[str, Any] = {}
        self.found["peaks"] = self._asked(row, process, _PEAKS_S, do="peaks") or row
        process.end()
        self.write()

    def phase(self, specs: list[Spec], rounds: int, calls: int) -> None:
        """Load all side by side, time each group in turns, and look at the kernels of the fastest of each kind."""
        rows = {spec.name: asdict(spec) for spec in specs}
        self.found["rows"] += rows.values()
        processes = self._loaded(specs, rows)
        try:
            for group in dict.fromkeys(spec.group for spec in specs):
                chosen = [spec for spec in specs if spec.group == group and spec.name in processes]
                self._timed(rows, {spec.name: processes[spec.name] for spec in chosen}, rounds, calls)
                self._watched(chosen, rows, processes)
        finally:
            for name, process in processes.items():
                process.end()
                rows[name] |= {} if "reason" in rows[name] else _verdict(rows[name]).as_metrics()
            self.write()

    def _loaded(self, specs: list[Spec], rows: dict[str, dict[str, Any]]) -> dict[str, Process]:
        begun = time.monotonic()
        processes = {spec.name: self.start(spec) for spec in specs}
        for spec in specs:
            processes[spec.name].ask(do="load", spec=asdict(spec))
        for spec in specs:
            left = begun + spec.limit_s - time.monotonic()
            rows[spec.name] |= self._answered(rows[spec.name], processes[spec.name], left) or {}
            self.write()
        return {name: process for name, process in processes.items() if "reason" not in rows[name]}

    def _timed(self, rows: dict[str, Any], processes: dict[str, Process], rounds: int, calls: int) -> None:
        times: dict[str, list[list[float]]] = {}

        def turn(name: str) -> list[float] | None:
            answer = (
                self._asked(rows[name], processes[name], _TURN_S, do="time", calls=calls) if self.left > 1 else None
            )
            if answer is None:
                return None
            times.setdefault(name, []).append(answer["ms"])
            rows[name]["ms"] = summary(times[name])
            return times[name][-1]

        in_turns(list(processes), rounds, turn)
        self.write()

    def _watched(self, specs: list[Spec], rows: dict[str, Any], processes: dict[str, Process]) -> None:
        timed = sorted((spec for spec in specs if "ms" in rows[spec.name]), key=lambda spec: _median(rows[spec.name]))
        for spec in watched(timed):
            if self.left > 1 and "reason" not in rows[spec.name]:
                answer = self._asked({}, processes[spec.name], _KERNELS_S, do="kernels")
                self.found["kernels"][spec.name] = answer or {}
        self.write()

    def _asked(self, row: dict[str, Any], process: Process, seconds: float, **question: Any) -> dict[str, Any] | None:
        process.ask(**question)
        return self._answered(row, process, seconds)

    def _answered(self, row: dict[str, Any], process: Process, seconds: float) -> dict[str, Any] | None:
        """Return the next answer, or None where there is none: the row then says why, and the process has ended."""
        try:
            return process.answer(min(seconds, self.left))
        except NoAnswerError as missing:
            process.end()
            row |= not_run(str(missing)).as_metrics()
            return None


def watched(timed: list[Spec]) -> list[Spec]:
    """Return whose kernels are looked at, of contestants by their time: the fastest of each kind, and of our own."""
    kinds = [[spec for spec in timed if spec.kind == kind] for kind in dict.fromkeys(spec.kind for spec in timed)]
    own = [spec for spec in timed if "graph" in spec.options]
    return list({spec.name: spec for some in (*kinds, own) for spec in some[:_WATCHED]}.values())


def _verdict(row: dict[str, Any]) -> Verdict:
    """Return that of a row to which nothing happened: what was loaded and never timed was not run."""
    return PASSED if "ms" in row else not_run("the time for the whole run was over before its turn")


def _median(row: dict[str, Any]) -> float:
    return float(row["ms"]["median"])


@dataclass(frozen=True)
class Effort:
    """How much a run may take: seconds for all of it, rounds, calls of each contestant in a round, names to take."""

    seconds: float
    rounds: int = 7
    calls: int = 40
    only: str = ""


def run(bundle: Path, results: Path, device: str, effort: Effort, where: dict[str, Any]) -> dict[str, Any]:
    """Run the plan of a bundle, as far as the seconds go, and return what was found.

    Raises:
        ConfigError: if the folder holds no bundle.
    """
    if not (bundle / "plan.json").is_file():
        raise ConfigError(
            "there is no bundle to run", expected="a folder with plan.json", got=str(bundle),
            cure="python -m benchmarks.latency pack --out FOLDER",
        )  # fmt: skip
    plan = read_json(bundle / "plan.json")
    specs = [spec for line in plan["contestants"] if re.search(effort.only, (spec := Spec(**line)).name)]
    whole = Run(
        results,
        where | {"commit": plan["commit"], "floors": plan["floors"]},
        lambda spec: worker(bundle, device, results.parent / "logs" / f"{spec.name}.log"),
        time.monotonic() + effort.seconds,
    )
    whole.peaks()
    for phase in sorted({spec.phase for spec in specs}):
        if whole.left > 0:
            whole.phase([spec for spec in specs if spec.phase == phase], effort.rounds, effort.calls)
    return whole.found
