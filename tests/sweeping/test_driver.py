"""The loop, with workers that answer what a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from enginewright.errors import SweepError
from enginewright.sweeping.driver import Driver
from enginewright.sweeping.jobs import Result
from enginewright.sweeping.ledger import Ledger
from enginewright.sweeping.pool import Pool
from enginewright.sweeping.process import WorkerLost
from enginewright.sweeping.results import Results, Row
from tests.sweeping.toys import PROBE, entry, plan

Answer = Callable[[str, str], Result]


class Toy:
    """A worker that answers by a function of stage and parameters; None loses it."""

    def __init__(self, answer: Callable[[str], Result | None], probe: Mapping[str, Any] = PROBE) -> None:
        self._answer, self._probe = answer, probe

    def start(self) -> dict[str, Any]:
        return {"probe": dict(self._probe)}

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        results = []
        for task in message["tasks"]:
            found = self._answer(task["key"])
            if found is None:
                raise WorkerLost("it was killed")
            results.append(found.as_plain())
            if found.entry is None:
                break
        return {"results": results}

    def close(self) -> None:
        pass

    def kill(self) -> None:
        pass


def done(key: str) -> Result:
    return Result(entry(plan().steps[key].outline.name), True, 2.0, 2.5, 10.0)


def failing(key: str) -> Result:
    if plan().steps[key].variants == ["x"]:
        return Result(None, True, 1.0, 1.0, error={"kind": "CompareError", "what": "a breach"}, left={"out/m": "{}"})
    return done(key)


class Sweep:
    """A driver over the toy plan below a folder."""

    def __init__(self, folder: Path) -> None:
        rows = {name: Row(name, [f"v={name}"]) for name in ("x", "y")}
        self.results = Results(folder / "results.json", {"name": "toy"}, rows)
        self.saved: dict[str, Mapping[str, str]] = {}
        self.kept: list[tuple[str, list[str], bool]] = []
        self.driver = Driver(plan(), Ledger(folder / "steps", lambda _: True), self.results, self._save, self._keep)

    def _save(self, name: str, files: Mapping[str, str]) -> str:
        self.saved[name] = files
        return f"commit of {name}"

    def _keep(self, name: str, entries: Mapping[str, Any], result: Result | None) -> None:
        self.kept.append((name, list(entries), result is not None))

    def run(self, answer: Callable[[str], Result | None], workers: int = 1, chains: bool = False) -> dict[str, Any]:
        self.driver.restore()
        pool = Pool(workers, lambda: Toy(answer), PROBE)
        if not self.driver.finished:
            pool.start()
            self.driver.run(pool, chains)
        pool.close()
        return {row["name"]: row for row in json.loads(self.results.path.read_text())["variants"]}


@pytest.mark.parametrize("chains", [False, True])
def test_all_is_done_once(tmp_path: Path, chains: bool) -> None:
    asked: list[str] = []

    def counted(key: str) -> Result:
        asked.append(key)
        return done(key)

    sweep = Sweep(tmp_path)
    rows = sweep.run(counted, workers=2, chains=chains)
    assert sorted(asked) == sorted(plan().steps)
    assert [row["state"] for row in rows.values()] == ["done", "done"]
    assert rows["x"]["experiment"] == "commit of x"
    assert [(step["stage"], step["shared_with"], step["ran"]) for step in rows["x"]["steps"]] == [
        ("first@a", 1, True),
        ("last@a", 0, True),
    ]
    assert rows["x"]["seconds"] == 4.0
    assert set(sweep.saved["x"]) == {"params.yaml", "dvc.lock"}


def test_again_is_cache_only(tmp_path: Path) -> None:
    Sweep(tmp_path).run(done)
    rows = Sweep(tmp_path).run(lambda _: pytest.fail("nothing should run"))
    assert [row["state"] for row in rows.values()] == ["cached", "cached"]
    assert rows["y"]["seconds"] == 0


def test_a_failing_variant_is_a_row_and_not_the_end(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    rows = sweep.run(failing)
    assert (rows["x"]["state"], rows["x"]["reason"]) == ("failed", "last@a: a breach")
    assert rows["x"]["experiment"] is None
    assert rows["y"]["state"] == "done"
    assert ("x", ["first@a"], True) in sweep.kept


def test_a_failure_is_tried_again_by_the_next_sweep(tmp_path: Path) -> None:
    Sweep(tmp_path).run(failing)
    rows = Sweep(tmp_path).run(done)
    assert [rows[name]["state"] for name in ("x", "y")] == ["done", "cached"]


def test_a_lost_step_is_done_elsewhere(tmp_path: Path) -> None:
    lives = {"left": 2}

    def killed_twice(key: str) -> Result | None:
        lives["left"] -= 1
        return None if lives["left"] >= 0 else done(key)

    rows = Sweep(tmp_path).run(killed_twice)
    assert [row["state"] for row in rows.values()] == ["done", "done"]


def test_a_step_that_kills_its_workers_is_a_failed_row(tmp_path: Path) -> None:
    rows = Sweep(tmp_path).run(lambda key: None if plan().steps[key].variants == ["x"] else done(key))
    assert rows["x"]["state"] == "failed"
    assert "lost 3 times, last: it was killed" in rows["x"]["reason"]
    assert rows["y"]["state"] == "done"


def test_what_was_not_started_says_why(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    sweep.driver.stop("interrupted")
    states = {row.name: (row.state.value, row.reason) for row in sweep.results.rows.values()}
    assert states == {"x": ("not_run", "interrupted"), "y": ("not_run", "interrupted")}


def test_workers_of_another_kind_of_machine_are_turned_away() -> None:
    pool = Pool(1, lambda: Toy(done, {"tool": {"version": "9"}}), PROBE)
    pool.start()
    while not pool.gone:
        pool.wait(0.1)
    assert "tool" in pool.given_up[0]


def test_no_worker_at_all_is_an_error() -> None:
    class Broken(Toy):
        def start(self) -> dict[str, Any]:
            raise WorkerLost("no python there")

    with pytest.raises(SweepError, match=r"no worker starts\n.*no python there"):
        Pool(2, lambda: Broken(done)).start()
