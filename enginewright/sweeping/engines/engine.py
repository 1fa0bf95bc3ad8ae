"""What the sweep needs of an engine, and what the user may ask of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from enginewright.sweeping.pool import Worker
from enginewright.sweeping.process import Setting


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    workers: None to fit the machine. engine: local, ray or slurm. address: of a Ray cluster. cluster: submitit's:
    slurm, or local to try it without one. remote: name of a DVC remote, None for the repository's default one. folder:
    where workers put their clones, on their own machines. options: of sbatch, such as `gpus_per_node=1`. fetch_all:
    whether large outputs come to the user's cache as well.
    """

    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    cluster: str = "slurm"
    remote: str | None = None
    folder: str | None = None
    options: tuple[str, ...] = ()
    fetch_all: bool = False


@dataclass(frozen=True)
class Engine:
    """An engine that was chosen and can be reached.

    name: as results.json has it. make: returns a worker that has not started. cores, free_mb: what its machines have
    for workers now. probe: what they have, where that is known before one starts. shares_cache: whether workers use the
    user's DVC cache; others meet in a remote. chains: whether a message is a job of its own that costs seconds, so that
    steps should travel together. close: ends what the engine started.
    """

    name: str
    make: Callable[[Setting], Worker]
    cores: int
    free_mb: float
    probe: Mapping[str, Any] | None = None
    shares_cache: bool = False
    chains: bool = False
    close: Callable[[], None] = lambda: None
