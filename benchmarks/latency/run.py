"""Runs a bundle: groups of contestants one after another, each contestant a process, every result written at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.latency.contestant import Spec
from benchmarks.latency.process import NoAnswerError, Process, worker
from benchmarks.latency.rounds import in_turns, summary
from enginewright.artifacts import read_json, write_json
from enginewright.verdicts import PASSED, not_run

_ROUNDS, _CALLS = 7, 40
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

    def group(self, specs: list[Spec], rounds: int = _ROUNDS, calls: int = _CALLS) -> None:
        """Load all of a group side by side, time them in turns, and look at the kernels of each."""
        rows = {spec.name: asdict(spec) for spec in specs}
        self.found["rows"] += rows.values()
        processes = self._loaded(specs, rows)
        try:
            self._timed(rows, processes, rounds, calls)
            for name, process in processes.items():
                if "reason" not in rows[name]:
                    self.found["kernels"][name] = self._asked({}, process, _KERNELS_S, do="kernels") or {}
        finally:
            for name, process in processes.items():
                process.end()
                rows[name] |= {} if "reason" in rows[name] else PASSED.as_metrics()
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


def run(bundle: Path, results: Path, device: str, seconds: float, where: dict[str, Any]) -> dict[str, Any]:
    """Run the plan of a bundle for at most so many seconds, and return what was found."""
    plan = read_json(bundle / "plan.json")
    specs = [Spec(**line) for line in plan["contestants"]]
    whole = Run(
        results,
        where | {"commit": plan["commit"], "floors": plan["floors"]},
        lambda spec: worker(bundle, device, results.parent / "logs" / f"{spec.name}.log"),
        time.monotonic() + seconds,
    )
    whole.peaks()
    for group in dict.fromkeys(spec.group for spec in specs):
        if whole.left > 0:
            whole.group([spec for spec in specs if spec.group == group])
    return whole.found
