"""`make why`: why stages would run, or why they ran. STAGE=export@disk for one, REV=commit for what was.

python -m enginewright.explaining [STAGE] [--rev REV]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.errors import ConfigError, exit_with
from enginewright.explaining.ahead import odd_probe_files, probe_files, repository
from enginewright.explaining.changes import Cases
from enginewright.explaining.detail import detail
from enginewright.explaining.foresee import Foresight
from enginewright.explaining.locked import lock_here
from enginewright.explaining.naming import matching
from enginewright.explaining.outputs import LOST
from enginewright.explaining.overview import outcomes, overview
from enginewright.explaining.revisions import between


def main(arguments: Sequence[str]) -> None:
    """Print what was asked for.

    Raises:
        ConfigError: for a stage or a revision that is not there, a lock that cannot be read, a conf/ that does not fit.
    """
    parser = argparse.ArgumentParser(prog="python -m enginewright.explaining", description="Why stages run.")
    parser.add_argument("stage", nargs="?", default="", help="export@disk, or export for that of every network")
    parser.add_argument("--rev", default="", help="a commit or experiment: why stages ran between it and here")
    options = parser.parse_args(arguments)
    lines = _past(options.stage, options.rev) if options.rev else _ahead(options.stage)
    print("\n".join(lines))


def _ahead(wanted: str) -> Iterator[str]:
    repo, note = repository()
    with repo:
        records, foreseen = lock_here(Path(repo.root_dir)), probe_files()
        names = [stage.addressing for stage in repo.index.stages if not stage.always_changed]
        _refuse_unknown(wanted, names)
        cases = Foresight(repo, records, foreseen).cases()
        yield from [note] if note else []
        yield from odd_probe_files(foreseen, records)
        yield from _told(cases, wanted, names, "nothing to do: every stage is up to date; the probe runs every time")
        if not wanted and cases:
            yield from ("", *outcomes(cases))
        if any(LOST in change.how for case in cases.values() for change in case.changes):
            yield "make pull fetches outputs that others have pushed"


def _past(wanted: str, rev: str) -> Iterator[str]:
    with Repo() as repo:
        old, new, cases, names = between(repo, rev)
        _refuse_unknown(wanted, names)
        yield f"{old} -> {new}"
        yield from _told(cases, wanted, names, "no stage ran: both have the same dvc.lock")


def _told(cases: Cases, wanted: str, names: Sequence[str], nothing: str) -> Iterator[str]:
    if not wanted:
        yield from overview(cases) if cases else [nothing]
        return
    for name in matching(wanted, names):
        yield from detail(cases, name) if name in cases else [f"{name} is up to date: nothing that it reads differs"]


def _refuse_unknown(wanted: str, names: Sequence[str]) -> None:
    if wanted and not matching(wanted, names):
        raise ConfigError("no such stage", expected=f"one of {', '.join(names)}", got=wanted)


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
