"""The loop of a sweep: hand out steps, take results, make experiments of variants whose steps are all there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from enginewright.sweeping.display import Display
from enginewright.sweeping.experiments import lock_text
from enginewright.sweeping.jobs import Result
from enginewright.sweeping.judging import judged
from enginewright.sweeping.ledger import Ledger, Record
from enginewright.sweeping.plan import Plan, Step
from enginewright.sweeping.pool import Ended, Pool
from enginewright.sweeping.results import Results, Row, State
from enginewright.sweeping.schedule import LIVES, Schedule, chain

_WAIT_S = 1.0


class Driver:
    """Runs a plan in a pool and keeps results.json true.

    save: makes an experiment of a variant's name and files, and returns its commit. keep: is told of every variant that
    is settled, with its entries of dvc.lock by stage, and with the result that ended it if it failed.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        results: Results,
        save: Callable[[str, Mapping[str, str]], str],
        keep: Callable[[str, Mapping[str, Mapping[str, Any]], Result | None], None],
    ) -> None:
        self._plan, self._ledger, self._results = plan, ledger, results
        self._save, self._keep = save, keep
        self._schedule = Schedule(plan, ledger.seconds())
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._last: dict[int, str] = {}
        self._out: dict[str, list[Step]] = {}
        self._display = Display(str(results.facts["name"]))
        self._start = time.monotonic()

    def restore(self) -> int:
        """Take over every step that the ledger has, save the variants that are whole by that; return how many steps."""
        for key in self._plan.steps:
            if record := self._ledger.get(key):
                self._entries[key] = record.entry
                self._facts[key] = {"ran": False, "seconds": record.seconds}
                self._schedule.finish(key)
        self._settle()
        return len(self._entries)

    @property
    def finished(self) -> bool:
        """Return whether no step is left to run."""
        return not self._schedule.wanted()

    @property
    def steps(self) -> str:
        """Return in words how many steps are done."""
        return f"{len(self._schedule.done)} of {len(self._plan.steps)} steps"

    def run(self, pool: Pool, chains: bool) -> None:
        """Run what is left, until it is done or no worker is."""
        while not self.finished and not pool.gone:
            self._hand_out(pool, chains)
            self._settle()  # while workers work: writing an experiment takes a second
            for ended in pool.wait(_WAIT_S):
                self._take(ended)
            self._draw(len(pool.free()) + len(self._out))
        self._settle()
        if not self.finished:
            self.stop(f"no worker is left: {pool.given_up[-1]}")

    def stop(self, reason: str) -> None:
        """Leave everything that is not settled as not run."""
        for row in self._results.rows.values():
            if row.state is State.pending:
                row.state, row.reason = State.not_run, reason
                if row.name in self._plan.keys:
                    row.steps = self._steps_of(row.name)
        self._results.seconds = time.monotonic() - self._start
        self._results.write()

    def _hand_out(self, pool: Pool, chains: bool) -> None:
        for number in pool.free():
            step = self._schedule.take(self._last.get(number))
            if step is None:
                return
            self._last[number] = step.variant
            steps = list(chain(self._schedule, step)) if chains else [step]
            tasks = [self._plan.task(item, self._entries).as_plain() for item in steps]
            self._out[step.key] = steps
            pool.submit(number, step.key, {"tasks": tasks})

    def _take(self, ended: Ended) -> None:
        steps = self._out.pop(ended.tag)
        if ended.answer is None:
            self._lost(steps, str(ended.lost))
            return
        results = [Result.from_plain(row) for row in ended.answer["results"]]
        for step, result in zip(steps, results, strict=False):
            self._ended(step, result)
        for step in steps[len(results) :]:  # behind one that failed in the same message
            self._schedule.running.discard(step.key)

    def _ended(self, step: Step, result: Result) -> None:
        if result.entry is None:
            self._failed(step, result)
            return
        record = Record(
            step.outline.name,
            result.entry,
            result.seconds,
            result.peak_mb,
            self._plan.outlines[step.variant].size,
        )
        self._ledger.put(step.key, record)
        self._entries[step.key] = result.entry
        self._facts[step.key] = {"ran": result.ran, "seconds": round(result.seconds, 3)}
        self._schedule.finish(step.key)

    def _lost(self, steps: list[Step], reason: str) -> None:
        self._display.news(f"lost: {', '.join(step.outline.name for step in steps)}: {reason}")
        again = self._schedule.lose(steps[0].key)
        for step in steps[1:]:
            self._schedule.running.discard(step.key)
        if not again:
            what = f"its worker was lost {LIVES} times, last: {reason}"
            self._failed(steps[0], Result(None, True, 0.0, 0.0, error={"kind": "WorkerLost", "what": what}))

    def _failed(self, step: Step, result: Result) -> None:
        state, reason = judged(step.outline.name, result)
        self._facts[step.key] = {"ran": result.ran, "seconds": round(result.seconds, 3)}
        self._schedule.fail(step.key)
        for name in step.variants:
            row = self._results.rows[name]
            if row.state is State.pending:
                row.state, row.reason = state, reason
                self._settled(row, result)

    def _settle(self) -> None:
        """Make an experiment of every variant whose steps are all done."""
        for name, keys in self._plan.keys.items():
            row = self._results.rows[name]
            if row.state is State.pending and self._schedule.done.issuperset(keys.values()):
                ran = any(self._facts[key]["ran"] for key in keys.values())
                row.state = State.done if ran else State.cached
                row.experiment = self._save(name, self._files(name))
                self._settled(row)

    def _files(self, name: str) -> dict[str, str]:
        outline = self._plan.outlines[name]
        return {"params.yaml": outline.params, "dvc.lock": lock_text(self._entries_of(name)), **outline.ignored}

    def _entries_of(self, name: str) -> dict[str, Mapping[str, Any]]:
        return {stage: self._entries[key] for stage, key in self._plan.keys[name].items() if key in self._entries}

    def _settled(self, row: Row, result: Result | None = None) -> None:
        self._keep(row.name, self._entries_of(row.name), result)
        row.steps = self._steps_of(row.name)
        self._results.seconds = time.monotonic() - self._start
        self._results.write()
        self._display.news(f"{row.name}: {row.state.value}{f', {row.reason}' if row.reason else ''}")

    def _steps_of(self, name: str) -> list[dict[str, Any]]:
        return [
            {"stage": stage, "key": key, "shared_with": len(self._plan.steps[key].variants) - 1, **self._facts[key]}
            for stage, key in self._plan.keys[name].items()
            if key in self._facts
        ]

    def _draw(self, workers: int) -> None:
        running = [step.outline.name for steps in self._out.values() for step in steps[:1]]
        left = self._schedule.seconds_left(workers)
        self._display.draw(self._results, self.steps, running, left)
