"""One case: a stage that is killed, or refused, at one moment; and what has to hold afterwards."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.torture.scenes import Scene

ERRORS = ("ENOSPC", "EROFS", "EACCES", "EFBIG", "EIO")
REFUSABLE = ("begin", "created", "half", "filled", "flushed")
"""Points before the rename: what fails there leaves the old output."""


@dataclass(frozen=True)
class Case:
    """What is done to a stage.

    point, file: the fault point; none for a kill after `after` seconds. action: kill, stop (the process halts at the
    point, then the stage is killed) or the name of an error. by_child: the point is passed by a child of the stage.
    old: older outputs are there before, rather than none.
    """

    stage: str
    action: str
    point: str = ""
    file: str = ""
    after: float = 0.0
    by_child: bool = False
    old: bool = False

    def __str__(self) -> str:
        where = f"{self.point}:{self.file}" if self.point else f"{self.after:.3f}s"
        return f"{self.stage} {self.action} {where}{' old' if self.old else ''}"

    @property
    def fault(self) -> str:
        """Return the value of ENGINEWRIGHT_FAULT."""
        return f"{self.point}:{self.file}:{self.action}" if self.point else ""


@dataclass(frozen=True)
class Outcome:
    """A case that was tried: how often something was killed in it, and what of the promise was not kept.

    missing: what this machine lacks, where it could not be tried at all.
    """

    half: str
    name: str
    kills: int
    broken: str
    seconds: float
    missing: str = ""


def tried(case: Case, scene: Scene) -> Outcome:
    """Do it to the stage, and check every promise."""
    began = time.monotonic()
    scene.reset(case.old)
    told, kills, broken = _done(case, scene)
    may_be_missing = not case.old or case.point == "swapped" or (not case.point and _has_folder(scene))
    broken += scene.alive() + scene.wrong(may_be_missing)
    if case.action in ERRORS:
        broken += _told(told, case) + scene.litter()
    again = scene.run()
    if again.status:
        broken.append(f"does not run again: {again.told[-400:]}")
    broken += scene.different() + scene.litter()
    half = "stages refused by the system" if case.action in ERRORS else "stages killed"
    return Outcome(half, str(case), kills, "; ".join(broken), time.monotonic() - began)


def _has_folder(scene: Scene) -> bool:
    return any(not path.suffix for path in scene.outputs.values())


def _done(case: Case, scene: Scene) -> tuple[str, int, list[str]]:
    """Return what the stage printed, how many processes were killed, and how it ended otherwise than it should."""
    if not case.point:
        ended = scene.start().kill_after(case.after)
        return ended.told, int(ended.status == -signal.SIGKILL), []
    fork = scene.start(ENGINEWRIGHT_FAULT=case.fault)
    if case.action == "stop":
        _until_stopped(fork.process)
        ended = fork.kill_after(0)
        return ended.told, 1, [] if ended.status == -signal.SIGKILL else [f"ended by itself: {ended.status}"]
    ended = fork.wait()
    wanted = -signal.SIGKILL if case.action == "kill" and not case.by_child else 1
    broken = [] if ended.status == wanted else [f"exit status {ended.status}, not {wanted}"]
    if wanted == 1 and ("error: " not in ended.told or "Traceback" in ended.told):
        broken.append(f"no clear error: {ended.told[-300:]}")
    return ended.told, int(case.action == "kill"), broken


def _told(told: str, case: Case) -> list[str]:
    wanted = ("could not be written", case.action, "cure: ")
    return [f"not told: {text}" for text in wanted if text not in told]


def _until_stopped(process: int) -> None:
    """Wait until a process below `process` has halted."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not any(_state(number) == "T" for number in _below(process)):
        time.sleep(0.02)


def _below(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children")
    try:
        direct = [int(number) for number in children.read_text().split()]
    except OSError:
        return []
    return [number for child in direct for number in (child, *_below(child))]


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
