"""What a sweep left: sweeps/<name>/results.json, and the run behind each of its variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json
from enginewright.errors import DataError
from enginewright.pages.files import FolderFiles, revision_files
from enginewright.pages.run import Run, run_of
from enginewright.sweeping.results import FORMAT, State

STATES = tuple(state.value for state in State)
"""What may have become of a variant, the good first."""


@dataclass(frozen=True)
class Swept:
    """A variant of a sweep, as results.json has it, and its run where it left one.

    name: of its DVC experiment. title: the same without the sweep's own name before it.
    gap: why a variant that ended well has no figures here; empty otherwise.
    """

    name: str
    title: str
    overrides: tuple[str, ...]
    state: str
    reason: str
    seconds: float | None
    steps: tuple[Mapping[str, Any], ...]
    run: Run | None
    gap: str

    @property
    def note(self) -> str:
        """How to have it, how many of its steps ran for it and for how long, and how many it had from elsewhere."""
        return " ".join(filter(None, (self._cure, self._steps)))

    @property
    def _cure(self) -> str:
        kept = self.state in ("done", "cached")
        return f"dvc exp apply {self.name} and dvc repro bring it into the checkout, from the cache." if kept else ""

    @property
    def _steps(self) -> str:
        ran = [step for step in self.steps if step.get("ran")]
        took = sum(step["seconds"] for step in ran if isinstance(step.get("seconds"), int | float))
        shared = sum(int(step.get("shared_with") or 0) > 0 for step in self.steps)
        if not self.steps:
            return ""
        rest = len(self.steps) - len(ran)
        return (
            f"{len(ran)} of its {len(self.steps)} steps ran for it, in {took:,.1f} s; {rest} came from the cache or "
            f"from another variant; {shared} serve other variants too."
        )


@dataclass(frozen=True)
class Sweep:
    """A sweep. facts: commit, workers, engine and seconds, in words."""

    name: str
    facts: tuple[tuple[str, str], ...]
    variants: tuple[Swept, ...]


def newest_sweep(folder: Path) -> str | None:
    """Return the name of the sweep below `folder` whose results are the newest, or None where there is none."""
    found = sorted(folder.glob("*/results.json"), key=lambda path: (path.stat().st_mtime_ns, path))
    return found[-1].parent.name if found else None


def read_sweep(repository: Path, name: str, cache: Path) -> Sweep:
    """Return the sweep `name`, below `repository`/sweeps.

    Raises:
        DataError: if it has no results, or they are not of the format that this code reads.
    """
    folder = repository / "sweeps" / name
    raw = _read(folder / "results.json")
    try:
        variants = tuple(_variant(entry, repository, folder, cache) for entry in raw["variants"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder.name} has a variant that cannot be read: {error}", cure="make sweep") from error
    return Sweep(str(raw.get("name", name)), _facts(raw), variants)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path} does not exist", expected="the results of a sweep", cure="make sweep")
    raw = read_json(path)
    if raw.get("format") != FORMAT or not isinstance(raw.get("variants"), list):
        raise DataError(f"{path} is of another format", expected=FORMAT, got=raw.get("format"), cure="make sweep")
    return raw


def _facts(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    commit = commit_in_words(str(raw.get("commit") or "")[:10], bool(raw.get("dirty")))
    seconds = raw.get("seconds")
    took = _duration(seconds) if isinstance(seconds, int | float) else ""
    workers, engine = raw.get("workers"), str(raw.get("engine") or "")
    found = (("commit", commit), ("engine", engine if engine != "local" else ""), ("took", took))
    many = (("workers", str(workers)),) if isinstance(workers, int) and workers > 1 else ()
    return tuple((key, value) for key, value in (*found, *many) if value)


def commit_in_words(short: str, edited: bool) -> str:
    """Return a commit, with a note where tracked files differed from it."""
    return short + (", with uncommitted changes" if edited else "")


def _variant(raw: Mapping[str, Any], repository: Path, folder: Path, cache: Path) -> Swept:
    state = raw.get("state")
    if state not in STATES or not raw.get("name"):
        raise DataError(f"{folder.name} has a variant in no known state", expected=", ".join(STATES), got=state)
    run, gap = _run(raw, repository, folder, cache)
    return Swept(
        name=str(raw["name"]),
        title=str(raw["name"]).removeprefix(f"{folder.name}-") or str(raw["name"]),
        overrides=tuple(map(str, raw.get("overrides") or ())),
        state=str(state),
        reason=str(raw.get("reason") or ""),
        seconds=raw.get("seconds") if isinstance(raw.get("seconds"), int | float) else None,
        steps=tuple(step for step in raw.get("steps") or () if isinstance(step, Mapping)),
        run=run,
        gap=gap,
    )


def _run(raw: Mapping[str, Any], repository: Path, folder: Path, cache: Path) -> tuple[Run | None, str]:
    name, commit = str(raw["name"]), raw.get("experiment")
    if commit:
        return _of_experiment(name, str(commit), repository, cache)
    left = (folder / "failed" / name).resolve()
    inside = left.is_relative_to((folder / "failed").resolve())
    if not inside or not left.is_dir():
        return None, ""
    try:
        return run_of(name, FolderFiles(left)), ""
    except DataError as error:
        return None, f"what it left cannot be read: {error.what}"


def _of_experiment(name: str, commit: str, repository: Path, cache: Path) -> tuple[Run | None, str]:
    try:
        run = run_of(name, revision_files(repository, commit, cache))
    except DataError as error:
        return None, f"its experiment cannot be read here: {error.what}"
    absent = run.files.absent()
    gap = f"{len(absent)} of its metric files are not in the DVC cache here: dvc exp pull origin {name}"
    return run, gap if absent else ""


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
