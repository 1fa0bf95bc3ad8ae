"""DVC's program with another loop in the place of its own: independent stages run side by side.

ENGINEWRIGHT_WORKERS says how many; by default as many as cores and memory take. 1 leaves everything to DVC.
"""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any

from dvc.cli import main  # type: ignore[import-untyped]
from dvc.repo import reproduce  # type: ignore[import-untyped]

from enginewright.errors import ConfigError
from enginewright.side_by_side.held import lock_files_once
from enginewright.side_by_side.loop import Loop, Rules
from enginewright.side_by_side.once import read_parameters_once
from enginewright.sweeping.sizing import cores_here, free_mb_here, sizing_of

WORKERS = "ENGINEWRIGHT_WORKERS"
KNOWN = ("stages", "graph", "force_downstream", "on_error", "force", "repro_fn", "kwargs")
"""The parameters of DVC's loop when this was written; a loop with others is left alone."""


def workers_asked() -> int | None:
    """Return how many stages the environment wants side by side, None if it leaves that open.

    Raises:
        ConfigError: if it says no number from 1.
    """
    asked = os.environ.get(WORKERS) or None
    if asked is not None and not (asked.isascii() and asked.isdecimal() and int(asked)):
        raise ConfigError(
            "no number of workers", expected=f"{WORKERS}=1 or more", got=asked, cure="make repro WORKERS=2"
        )
    return int(asked) if asked else None


def install(asked: int | None) -> None:
    """Put the loop in the place of DVC's."""
    serial = reproduce._reproduce
    if tuple(inspect.signature(serial).parameters) != KNOWN:
        print("note: this version of DVC runs one stage after another", file=sys.stderr)
        return

    def side_by_side(
        stages: Any, graph: Any = None, force_downstream: bool = False, on_error: str = "fail", force: bool = False,
        **options: Any,
    ) -> Any:  # fmt: skip
        jobs = sizing_of(asked, None, len(stages), cores_here(), free_mb_here()).workers
        alone = any(options.get(name) for name in ("dry", "interactive", "repro_fn"))
        if graph is None or jobs == 1 or not stages or alone:
            return serial(stages, graph, force_downstream, on_error, force, **options)
        return Loop(stages, graph, jobs, Rules(on_error, force, force_downstream, options)).run()

    reproduce._reproduce = side_by_side


def run(words: list[str]) -> int:
    """Be `dvc` with these words; return its exit status."""
    install(workers_asked())
    read_parameters_once()
    lock_files_once()
    return int(main(words))
