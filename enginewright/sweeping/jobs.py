"""What the driver asks of a worker and what it answers. Plain values only: both travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Task:
    """One step: a stage of dvc.yaml under the configuration of a variant.

    params: text of params.yaml. lock: entries of dvc.lock of the stages whose outputs it reads, None for those of tasks
    before it in the same message. inputs: paths of those outputs. outs: all paths that the variant writes, for what a
    clone must not hold besides. ignored: the content of each .gitignore that DVC would write for them.
    """

    key: str
    stage: str
    params: str
    lock: Mapping[str, Any]
    inputs: tuple[str, ...]
    outs: tuple[str, ...]
    ignored: Mapping[str, str]

    def as_plain(self) -> dict[str, Any]:
        """Return what a worker is sent."""
        return asdict(self)

    def after(self, entries: Mapping[str, Any]) -> Task:
        """Return the task with the entries that it waited for, by stage."""
        return replace(self, lock={name: entries.get(name) if row is None else row for name, row in self.lock.items()})

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Task:
        """Return the task of what a worker was sent."""
        tuples = {name: tuple(values[name]) for name in ("inputs", "outs")}
        return Task(**{**values, **tuples})


@dataclass(frozen=True)
class Result:
    """How a step ended.

    entry: of dvc.lock, None where it failed. ran: whether its command ran; if not, DVC's run cache had its outputs.
    seconds: of the command alone; wall: of all that the worker did for it. peak_mb: of the worker and its stage.
    error: the kind and parts of the error that ended it. log: the end of what it printed. left: metric files that a
    failed stage wrote, text by path.
    """

    entry: Mapping[str, Any] | None
    ran: bool
    seconds: float
    wall: float
    peak_mb: float = 0.0
    error: Mapping[str, Any] | None = None
    log: str = ""
    left: Mapping[str, str] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """Return what a worker answers."""
        return asdict(self)

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Result:
        """Return the result of what a worker answered."""
        return Result(**values)
