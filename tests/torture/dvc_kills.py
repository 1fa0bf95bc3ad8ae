"""kill -9 of `dvc repro` itself, at random moments of real runs: what is left, and whether the next run converges."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from enum import Enum
from functools import partial
from pathlib import Path

import yaml

from enginewright.lineage.locks import LOCKS
from enginewright.recovery.lock_files import is_whole
from enginewright.recovery.run_cache import empty_runs
from tests.torture.cases import Outcome
from tests.torture.forks import MARK, survivors
from tests.torture.lanes import Say, side_by_side
from tests.torture.pipeline import small_checkout
from tests.torture.scenes import digest_of

HALF = "dvc killed"
NETWORKS = ("cells", "cells_nearest")
PARTS = 8
"""A run is killed within this part of the time that one takes: two stages or so."""
SAFE = ("make", "-s", "-o", ".venv/run.stamp", "repro")
"""What is installed is taken as it is: make must not install into the environment that the tests run in."""
PLAIN = ("dvc", "repro")


class End(Enum):
    """How a run ended. refused: plain dvc took a killed one for one at work, as its process was not yet waited for."""

    killed = "kill"
    through = "through"
    refused = "busy after kill"


class Runs:
    """A checkout whose runs are killed, and what they have to lead to."""

    def __init__(self, folder: Path, seed: int, networks: tuple[str, ...] = NETWORKS) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - what is wanted is that it can be repeated
        self.space = small_checkout(folder, networks)
        _link_environment(folder)
        self.mark = f"dvc-{seed}-{os.getpid()}"
        began = time.monotonic()
        self.space.run("dvc", "repro")
        self.longest = (time.monotonic() - began) / PARTS
        self.space.commit("built")
        self.expected = self.digests()

    def digests(self) -> dict[str, str]:
        """Return the digest of every output that is there."""
        lock = yaml.safe_load((self.space.path / "dvc.lock").read_text(encoding="utf-8"))
        names = {out["path"] for entry in lock["stages"].values() for out in entry.get("outs", [])}
        return {name: digest_of(self.space.path / name) for name in sorted(names) if name != "report/index.html"}

    def forget(self) -> None:
        """Lose all that was built, so that the next runs have something to do."""
        for name in ("weights", "metrics", "plots", "report", "probe", ".dvc/cache"):
            shutil.rmtree(self.space.path / name, ignore_errors=True)
        self.space.run("git", "checkout", "-q", ".")
        for lock in LOCKS:
            (self.space.path / lock).unlink(missing_ok=True)

    def kill_one(self, command: tuple[str, ...]) -> tuple[str, End]:
        """Start a run and kill it after a while; return what was broken, and how it ended."""
        after = self.chance.uniform(0.2, self.longest)
        environment = self.space.environment() | {MARK: self.mark}
        with (self.space.path / ".cache" / "repro.log").open("w+") as log:
            with subprocess.Popen(command, cwd=self.space.path, env=environment, stdout=log, stderr=log) as process:
                try:
                    status: int | None = process.wait(after)
                except subprocess.TimeoutExpired:
                    status = None
                    os.kill(process.pid, signal.SIGKILL)
            log.seek(0)
            told = log.read()
        broken = [f"lives on: {command[:90]}" for command in survivors(self.mark)]
        broken += [f"{name} is not whole" for name in self.not_whole()]
        if command == PLAIN and status and "is busy" in told:
            return "; ".join(broken), End.refused
        if status not in (None, 0):
            broken.append(f"{command[0]} exit status {status}: {told[-500:]}")
        return "; ".join(broken), End.through if status == 0 else End.killed

    def plain_can_go_on(self) -> bool:
        """Return whether plain DVC can read what it wrote; where a kill cut that short, `make repro` comes next."""
        paths = [self.space.path / name for name in LOCKS]
        whole = all(is_whole(path.read_bytes()) for path in paths if path.exists())
        return whole and not any(empty_runs(self.space.path))

    def not_whole(self) -> list[str]:
        """Return outputs that are there and are not those of an undisturbed run."""
        found = ((name, self.space.path / name) for name in self.expected)
        return [name for name, path in found if path.exists() and digest_of(path) != self.expected[name]]

    def finish(self) -> str:
        """Let a run end, commit it, and return how what it built differs from what nothing disturbed."""
        done = self.space.run(*SAFE, check=False)
        if done.returncode:
            return f"does not run again: {(done.stdout + done.stderr)[-600:]}"
        found = self.digests()
        wrong = [name for name, digest in self.expected.items() if found.get(name) != digest]
        again = self.space.run(*SAFE, check=False)
        idle = [line for line in again.stdout.splitlines() if line.startswith("Running stage")]
        wrong += [line for line in idle if "probe" not in line]
        self.space.commit("built again")  # dvc.lock must not go back to one whose metrics are no longer in the cache
        litter = [str(path) for path in self.space.path.glob("*/*/.*.tmp")]
        return "; ".join([*wrong, *litter])


def _link_environment(folder: Path) -> None:
    """Let `make` find what is installed: its own set-up would install it again."""
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])


def run(folder: Path, seed: int, kills: int, lanes: int, say: Say) -> None:
    """Kill `kills` runs of real pipelines, side by side."""
    shares = [kills // lanes + (number < kills % lanes) for number in range(lanes)]
    side_by_side([partial(_outcomes, folder / f"dvc{n}", seed + n, share) for n, share in enumerate(shares)], say)


def _outcomes(folder: Path, seed: int, kills: int) -> Iterator[Outcome]:
    """Kill runs, forgetting all that was built whenever one got through."""
    runs, done, end = Runs(folder, seed), 0, End.through
    runs.forget()
    while done < kills:
        began = time.monotonic()
        command = SAFE if done % 2 or end is End.refused or not runs.plain_can_go_on() else PLAIN
        broken, end = runs.kill_one(command)
        done += end is End.killed
        if end is not End.through:
            name = f"{command[0]} repro, {end.value} {done}"
            yield Outcome(HALF, name, int(end is End.killed), broken, time.monotonic() - began)
        if end is End.through or done == kills:
            began = time.monotonic()
            yield Outcome(HALF, f"same artifacts after kill {done}", 0, runs.finish(), time.monotonic() - began)
            runs.forget()
