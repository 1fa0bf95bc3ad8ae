"""What a page is made of, from a repository: its checkout, a sweep, tables of GPUs, and two revisions."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from enginewright.errors import DataError
from enginewright.pages.details import Told
from enginewright.pages.differences import Comparison, compare_runs
from enginewright.pages.files import FolderFiles, revision_files
from enginewright.pages.from_run import variants_of_run, variants_of_sweep
from enginewright.pages.gpu_table import Table, read_tables, variants_of_table, with_latency
from enginewright.pages.page import Content
from enginewright.pages.run import Run, run_of
from enginewright.pages.sweep import Sweep, newest_sweep, read_sweep
from enginewright.pages.variant import Variant

CHECKOUT = "this checkout"
WORKSPACE = "workspace"
"""The name of the checkout where a revision is asked for, as DVC has it."""
GPU_TABLES = "benchmarks/gpu"


def gather(repository: Path, sweep: str, base: str, revision: str) -> Content:
    """Return the content of a page.

    sweep: its name; empty takes the newest, if there is one, and the checkout's own run. base, revision: to compare;
    both empty to compare nothing, one alone is compared with the checkout.

    Raises:
        DataError: if there is nothing to show, or what was asked for is not there.
    """
    cache = dvc_cache(repository)
    name = sweep or newest_sweep(repository / "sweeps") or ""
    swept = read_sweep(repository, name, cache) if name else None
    own = None if sweep or base or revision else _checkout(repository)
    comparison = _comparison(repository, base, revision, cache)
    tables = read_tables(repository / GPU_TABLES)
    variants, runs = _variants(swept, own, tables)
    if not variants and comparison is None:
        raise DataError("there is nothing to report", expected="a run, a sweep or a GPU table", cure="make repro")
    return Content(
        title=_title(swept, own, comparison),
        facts=swept.facts if swept else (("commit", commit(repository)),),
        variants=(*variants, *_measured(tables, variants)),
        runs=(*runs, *_own_run(own, repository)),
        tables=tuple(_line(table) for table in tables),
        comparison=comparison,
        aside=(CHECKOUT,) if swept else (),
    )


def _checkout(repository: Path) -> Run | None:
    run = run_of(CHECKOUT, FolderFiles(repository))
    return run if run.metrics else None


def _variants(sweep: Sweep | None, own: Run | None, tables: Sequence[Table]) -> tuple[list[Variant], list[Told]]:
    found: list[Variant] = []
    told: list[Told] = []
    if own is not None:
        found += [with_latency(one, own, tables) for one in variants_of_run(own, CHECKOUT)]
    if sweep is not None:
        runs = {swept.name: swept.run for swept in sweep.variants}
        found += [with_latency(one, runs[one.name], tables) for one in variants_of_sweep(sweep)]
        told = list(_told(sweep, found))
    return found, told


def _told(sweep: Sweep, variants: Sequence[Variant]) -> Sequence[Told]:
    anchors = {one.name: one.anchor for one in variants if one.anchor and one.source != CHECKOUT}
    commit = dict(sweep.facts).get("commit", "")
    return [
        Told(swept.run, anchors[swept.name], f"{swept.name}: {swept.state.replace('_', ' ')}", swept.overrides, commit)
        for swept in sweep.variants
        if swept.run is not None and swept.name in anchors
    ]


def _own_run(own: Run | None, repository: Path) -> list[Told]:
    if own is None:
        return []
    return [Told(own, f"run-{CHECKOUT}-{own.name}", f"{CHECKOUT}, as it stands", (), commit(repository))]


def _measured(tables: Sequence[Table], variants: Sequence[Variant]) -> list[Variant]:
    """Return the variants of the GPU tables: of the networks that the page is about, or of all if it is about none."""
    networks = sorted({one.network for one in variants if one.network}) or None
    return [one for table in tables for one in variants_of_table(table, networks)]


def _comparison(repository: Path, base: str, revision: str, cache: Path) -> Comparison | None:
    if not base and not revision:
        return None
    runs = [_revision(repository, name or WORKSPACE, cache) for name in (base, revision)]
    return compare_runs(*runs)


def _revision(repository: Path, name: str, cache: Path) -> Run:
    files = FolderFiles(repository) if name == WORKSPACE else revision_files(repository, name, cache)
    run = run_of(name, files)
    if not run.metrics:
        gone = f": {', '.join(files.absent()[:2])} and others are not in the cache" if files.absent() else ""
        raise DataError(
            f"{name} has no metrics here{gone}", expected="a run", cure="dvc repro, or dvc pull --all-commits"
        )
    return replace(run, name=name)


def _title(sweep: Sweep | None, own: Run | None, comparison: Comparison | None) -> str:
    if sweep is not None:
        return f"Sweep {sweep.name}"
    if own is None and comparison is not None:
        return f"{comparison.base} against {comparison.revision}"
    return "The last run"


def _line(table: Table) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in table.where if key != "device")
    return f"{table.device}: measured by make gpu ({facts}). Typed graphs in ONNX Runtime's CUDA provider, not engines."


def dvc_cache(repository: Path) -> Path:
    """Return DVC's folder of objects by MD5, wherever its configuration has put it."""
    from dvc.repo import Repo  # type: ignore[import-untyped]

    with Repo(str(repository)) as repo:
        return Path(repo.cache.local.path)


def commit(repository: Path) -> str:
    """Return the short commit of a checkout, with a note where tracked files differ from it."""
    short = _git(repository, "rev-parse", "--short=10", "HEAD")
    return short + (", with uncommitted changes" if _git(repository, "status", "--porcelain", "-uno") else "")


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
