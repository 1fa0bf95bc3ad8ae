"""What a page is made of, from a repository: its checkout, a sweep, tables of GPUs, and two revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enginewright.errors import DataError
from enginewright.lineage.commits import head
from enginewright.pages.details import Told
from enginewright.pages.differences import compare_runs
from enginewright.pages.files import FolderFiles, RevisionFiles, revision_files
from enginewright.pages.from_run import COMPARED, variants_of_run, variants_of_sweep
from enginewright.pages.gpu_table import Table, read_tables, variants_of_table, with_latency
from enginewright.pages.page import Content
from enginewright.pages.run import Run, run_of
from enginewright.pages.sweep import Sweep, commit_in_words, newest_sweep, read_sweep
from enginewright.pages.table import WORDS
from enginewright.pages.variant import Variant

CHECKOUT = "this checkout"
WORKSPACE = "workspace"
"""The name of the checkout where a revision is asked for, as DVC has it."""
GPU_TABLES = "benchmarks/gpu"


def gather(repository: Path, sweep: str, base: str, revision: str) -> Content:
    """Return the content of a page.

    sweep: its name. base, revision: two runs to compare; one alone is compared with the checkout. With all three empty,
    the newest sweep, if there is one, and the checkout's own run.

    Raises:
        DataError: if there is nothing to show, or what was asked for is not there.
    """
    cache, asked = dvc_cache(repository), bool(base or revision)
    name = sweep or ("" if asked else newest_sweep(repository / "sweeps") or "")
    swept = read_sweep(repository, name, cache) if name else None
    pair = [_revision(repository, one or WORKSPACE, cache) for one in (base, revision)] if asked else []
    tables = read_tables(repository / GPU_TABLES)
    shown = [*(_of_sweep(swept, tables) if swept else _of_pair(pair, repository, tables))]
    if not (sweep or asked):
        shown += _of_checkout(repository, tables)
    variants = [one for each in shown for one in each.variants]
    variants += _measured(tables, variants)
    if not variants:
        raise DataError("there is nothing to report", expected="a run, a sweep or a GPU table", cure="make repro")
    return Content(
        title=_title(swept, pair),
        facts=swept.facts
        if swept
        else tuple((run.name, _commit_of(run, repository)) for run in pair) or (("commit", commit(repository)),),
        variants=tuple(variants),
        runs=tuple(each.told for each in shown if each.told),
        tables=tuple(_line(table) for table in tables),
        comparison=compare_runs(*pair) if pair else None,
        aside=(CHECKOUT,) if swept else (),
        lead="answer" if swept else "comparison",
        again=_again(repository, swept.name) if swept else "",
    )


@dataclass(frozen=True)
class _Shown:
    """The variants of one run, and the run itself where it left anything."""

    variants: list[Variant]
    told: Told | None


def _of_sweep(sweep: Sweep, tables: Sequence[Table]) -> Iterator[_Shown]:
    found = variants_of_sweep(sweep)
    ran_on = dict(sweep.facts).get("commit", "")
    for swept in sweep.variants:
        own = [with_latency(one, swept.run, tables) for one in found if one.name == swept.title]
        title = f"{swept.title}: {WORDS[swept.state]}"
        told = Told(swept.run, own[0].anchor, title, swept.overrides, ran_on, swept.note) if swept.run else None
        yield _Shown(own, told)


def _of_pair(pair: Sequence[Run], repository: Path, tables: Sequence[Table]) -> Iterator[_Shown]:
    for run in {run.name: run for run in pair}.values():
        yield _of_run(run, COMPARED, _commit_of(run, repository), tables)


def _commit_of(run: Run, repository: Path) -> str:
    return run.files.revision[:10] if isinstance(run.files, RevisionFiles) else commit(repository)


def _of_checkout(repository: Path, tables: Sequence[Table]) -> Iterator[_Shown]:
    run = run_of(CHECKOUT, FolderFiles(repository))
    if run.metrics:
        yield _of_run(run, CHECKOUT, commit(repository), tables)


def _of_run(run: Run, source: str, ran_on: str, tables: Sequence[Table]) -> _Shown:
    variants = [with_latency(one, run, tables) for one in variants_of_run(run, source)]
    return _Shown(variants, Told(run, variants[0].anchor, run.name, (), ran_on))


def _measured(tables: Sequence[Table], variants: Sequence[Variant]) -> list[Variant]:
    """Return the variants of the GPU tables: of the networks that the page is about, or of all if it is about none."""
    networks = sorted({one.network for one in variants if one.network}) or None
    return [one for table in tables for one in variants_of_table(table, networks)]


def _revision(repository: Path, name: str, cache: Path) -> Run:
    files = FolderFiles(repository) if name == WORKSPACE else revision_files(repository, name, cache)
    run = run_of(name, files)
    if not run.metrics:
        gone = f": {', '.join(files.absent()[:2])} and others are not in the cache" if files.absent() else ""
        raise DataError(f"{name} has no metrics here{gone}", expected="a run", cure="dvc repro, or dvc pull -A")
    return run


def _title(sweep: Sweep | None, pair: Sequence[Run]) -> str:
    if sweep is not None:
        return f"Sweep {sweep.name}"
    return " against ".join(run.name for run in pair) or "The last run"


def _again(repository: Path, name: str) -> str:
    """Return the command that repeats a sweep; empty where its words are no longer known, since it had no file."""
    return f"make sweep SWEEP={name}" if (repository / "conf/experiment" / f"{name}.yaml").is_file() else ""


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
    return commit_in_words(*head(repository))
