"""A whole sweep: from the request to results.json and the exit status."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from enginewright.errors import SweepError
from enginewright.progress import progress
from enginewright.sweeping.axes import Sweep
from enginewright.sweeping.driver import Driver
from enginewright.sweeping.engines import Engine, Request, engine_of
from enginewright.sweeping.experiments import Experiments
from enginewright.sweeping.keeping import Keeper
from enginewright.sweeping.ledger import Ledger
from enginewright.sweeping.outline import Outline
from enginewright.sweeping.outlining import outlines_of
from enginewright.sweeping.plan import plan_of
from enginewright.sweeping.pool import Pool
from enginewright.sweeping.process import Setting
from enginewright.sweeping.results import GOOD, Results, State
from enginewright.sweeping.rows import refuse_typos, rows_of
from enginewright.sweeping.sizing import Sizing, cores_here, sizing_of
from enginewright.sweeping.source import Source, source_of
from enginewright.sweeping.store import Store

RESULTS = Path("sweeps")
"""A folder for each sweep: results.json, logs/ and failed/."""

KEPT = Path(".cache/sweeps")
"""What sweeps share: records of steps, outlines, clones."""


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before a worker starts."""

    sweep: Sweep
    request: Request
    folder: Path
    source: Source
    store: Store
    setting: Setting
    outlines: Mapping[str, Outline]


def run_sweep(sweep: Sweep, request: Request) -> int:
    """Run a sweep of the checkout in the current folder; return 0 if every variant was built, or was there.

    Raises:
        SweepError: if it cannot start. What becomes of variants stands in sweeps/<name>/results.json.
        RequirementError: if the engine is not installed.
    """
    folder = RESULTS / sweep.name
    with _alone(folder), _engine(request) as engine:
        prepared = _prepared(sweep, request, folder, engine.shares_cache)
        return _run(prepared, engine)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the sweep's lock: two drivers of one sweep would write one file."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SweepError(f"the sweep {folder.name} runs already", cure="wait for it, or end it") from error
        yield


@contextmanager
def _engine(request: Request) -> Iterator[Engine]:
    engine = engine_of(request)
    try:
        yield engine
    finally:
        engine.close()


def _prepared(sweep: Sweep, request: Request, folder: Path, shares_cache: bool) -> Prepared:
    """Compose and outline every variant; refuse the sweep for a typo."""
    root = Path.cwd()
    store = Store(root, shares_cache, request.remote)
    source = source_of(root, _made(root / KEPT / "sources" / sweep.name))
    setting = Setting(
        source=str(source.repository),
        tree=source.tree,
        folder=str(root / KEPT / "clones"),
        config=store.config_text(),
        downloads=str(_made(root / ".cache" / "downloads")),
        threads=1,
        env={name: value for name, value in os.environ.items() if name == "REQUIRE_GPU"},
    )
    outlines = outlines_of(sweep.variants, setting, root / KEPT / "outlines", cores_here())
    refuse_typos(sweep, outlines)
    return Prepared(sweep, request, folder, source, store, setting, outlines)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(prepared: Prepared, engine: Engine) -> int:
    ledger = Ledger(KEPT / "steps", prepared.store.stored)
    sizing = _sizing(prepared, engine, ledger)
    setting = replace(prepared.setting, threads=sizing.threads, memory_mb=sizing.memory_mb)
    pool = Pool(sizing.workers, partial(engine.make, setting), engine.probe)
    try:
        probe = engine.probe if engine.probe is not None else _started(pool)
        results = _results(prepared, engine, sizing, probe)
        driver = _driver(prepared, ledger, results, probe)
        _drive(driver, pool, engine, sizing)
    finally:
        pool.close(at_once=sys.exc_info()[0] is not None)
    return _summary(results)


def _started(pool: Pool) -> Mapping[str, Any]:
    with progress("waiting for the first worker"):
        return pool.start()


def _sizing(prepared: Prepared, engine: Engine, ledger: Ledger) -> Sizing:
    sizes = {outline.size for outline in prepared.outlines.values() if not outline.refused}
    width = max(1, len(prepared.outlines))
    return sizing_of(prepared.request.workers, ledger.peak_mb(sizes), width, engine.cores, engine.free_mb)


def _results(prepared: Prepared, engine: Engine, sizing: Sizing, probe: Mapping[str, Any]) -> Results:
    source = prepared.source
    facts = {
        "name": prepared.sweep.name,
        "commit": source.baseline,
        "dirty": source.dirty,
        "workers": sizing.workers,
        "engine": engine.name,
    }
    results = Results(prepared.folder / "results.json", facts, rows_of(prepared.sweep, prepared.outlines, probe))
    results.write()
    return results


def _driver(prepared: Prepared, ledger: Ledger, results: Results, probe: Mapping[str, Any]) -> Driver:
    pending = [name for name, row in results.rows.items() if row.state is State.pending]
    plan = plan_of({name: prepared.outlines[name] for name in pending}, probe)
    experiments = Experiments(Path.cwd(), prepared.source, KEPT / "sources" / prepared.sweep.name)
    keeper = Keeper(prepared.folder, prepared.store, plan, prepared.request.fetch_all)
    return Driver(plan, ledger, results, experiments.save, keeper)


def _drive(driver: Driver, pool: Pool, engine: Engine, sizing: Sizing) -> None:
    """Run what the ledger does not have, and leave true results behind whatever ends the run."""
    driver.restore()
    print(f"{driver.steps} are there already", file=sys.stderr)
    if driver.finished:
        return
    print(f"workers: {sizing.workers} on {engine.name} ({sizing.why})", file=sys.stderr)
    try:
        if engine.probe is not None:
            pool.start()
        driver.run(pool, engine.chains)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        driver.stop("interrupted: the same command goes on from here" if interrupted else f"the sweep broke: {error}")
        raise


def _summary(results: Results) -> int:
    counts = ", ".join(f"{results.count(state)} {state.value}" for state in State if results.count(state))
    print(f"{results.path.parent.name}: {counts} in {results.seconds:.0f} s; see {results.path}", file=sys.stderr)
    return 0 if results.count(*GOOD) == len(results.rows) else 1
