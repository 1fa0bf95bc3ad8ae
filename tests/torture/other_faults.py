"""Faults other than kills of stages: lock files, the clock, the cache, signals, two runs at once, disks and folders.

Each function takes a built checkout, does one thing to it and returns what of the promise was not kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.torture.cases import Outcome
from tests.torture.disk_faults import (
    Missing,
    file_size_limit,
    full_disk,
    no_temporary_folder,
    read_only_disk,
    read_only_folder,
    started,
    told_by,
)
from tests.torture.dvc_kills import PLAIN, SAFE, Runs
from tests.torture.forks import survivors
from tests.torture.lanes import Say, side_by_side

HALF = "other faults"
NETWORKS = ("foreign",)
Fault = Callable[[Runs], str]


def idle_again(runs: Runs, *words: str) -> str:
    """Run `make repro`; return what is another than before, and the stages that ran beside the probe."""
    done = runs.space.run(*SAFE, check=False)
    told = done.stdout + done.stderr
    wrong = [f"exit status {done.returncode}: {told[-500:]}"] if done.returncode else []
    wrong += [f"not told: {word}" for word in words if word not in told]
    wrong += [line for line in told.splitlines() if line.startswith("Running stage") and "probe" not in line]
    wrong += [f"{name} is another" for name, digest in runs.digests().items() if digest != runs.expected[name]]
    return "; ".join(wrong)


def cut_lock(runs: Runs) -> str:
    """dvc.lock is cut anywhere: `make repro` says so where it has to mend it, and builds nothing again."""
    path = runs.space.path / "dvc.lock"
    whole = path.read_bytes()
    wrong = []
    for size in (0, 1, 11, len(whole) // 3, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:size])
        wrong.append(idle_again(runs))
    return "; ".join(filter(None, wrong))


def cut_lock_and_plain_dvc(runs: Runs) -> str:
    """dvc.lock is cut in the middle: plain `dvc repro` refuses it or converges, and loses nothing."""
    path = runs.space.path / "dvc.lock"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = runs.space.run(*PLAIN, check=False)
    refused = "dvc.lock" in done.stdout + done.stderr
    wrong = "" if done.returncode == 0 or refused else f"no clear word: {done.stderr[-300:]}"
    return "; ".join(filter(None, [wrong, idle_again(runs)]))


def no_lock(runs: Runs) -> str:
    """Both lock files are gone: everything comes from the cache."""
    for name in ("dvc.lock", "machine/dvc.lock"):
        (runs.space.path / name).unlink()
    return idle_again(runs)


def cut_busy_list(runs: Runs) -> str:
    """DVC's list of busy files is cut short, or names a process that is none of DVC's."""
    path = runs.space.path / ".dvc/tmp/rwlock"
    path.write_text('{"write": {"/a/b')
    wrong = [idle_again(runs, "recovered:")]
    with subprocess.Popen(["sleep", "60"]) as other:
        busy = runs.space.path / "weights" / NETWORKS[0] / "typed.onnx"
        path.write_text(f'{{"write": {{"{busy}": {{"pid": {other.pid}, "cmd": "dvc repro"}}}}, "read": {{}}}}')
        wrong.append(idle_again(runs, "recovered:"))
        other.kill()
    return "; ".join(filter(None, wrong))


def clock(runs: Runs) -> str:
    """The clock was set: artifacts of 1970 and of 2100 are still what they are."""
    wrong = []
    for year in (0, 4102444800):
        for path in [*(runs.space.path / "weights").rglob("*"), *(runs.space.path / "metrics").rglob("*")]:
            os.utime(path, (year, year))
        wrong.append(idle_again(runs))
    return "; ".join(filter(None, wrong))


def leftovers(runs: Runs) -> str:
    """Temporary files of killed stages lie between the artifacts: DVC, git and the report do not see them."""
    network = runs.space.path / "metrics" / NETWORKS[0]
    for path in (network / ".compare.json.abcdefgh.tmp", runs.space.path / "plots" / NETWORKS[0] / ".x.4k7tcyvb.tmp"):
        path.write_bytes(b"half")
    wrong = idle_again(runs)
    seen = runs.space.run("git", "status", "--short").stdout
    return "; ".join(filter(None, [wrong, "git sees one" if ".tmp" in seen else ""]))


def interrupted_change(runs: Runs) -> str:
    """A stage that was killed with other parameters: going back to the old ones runs nothing."""
    runs.space.edit("conf/experiment/torture.yaml", r"photographs: \[brick\]", "photographs: [gravel]")
    runs.space.run("python", "-m", "enginewright.config.compose")
    process = started(runs, *PLAIN)
    _until(lambda: not (runs.space.path / "weights" / NETWORKS[0] / "exported.onnx").exists())
    process.kill()
    process.wait()
    wrong = [f"lives on: {command}" for command in survivors(runs.mark)]
    runs.space.run("git", "checkout", "-q", "conf")
    return "; ".join([*wrong, *filter(None, [idle_again(runs)])])


def signals(runs: Runs) -> str:
    """Ctrl-C, a closed terminal and SIGTERM leave nothing running, and the next run converges."""
    wrong = []
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        runs.forget()
        process = started(runs, *SAFE)
        _until((runs.space.path / "weights" / NETWORKS[0] / "exported.onnx").exists)
        os.killpg(process.pid, number)
        if process.wait(60) == 0:
            wrong.append(f"{number.name} did not end it")
        wrong += [f"after {number.name} lives on: {command}" for command in survivors(runs.mark)]
    wrong.append(runs.finish())
    return "; ".join(filter(None, wrong))


def two_at_once(runs: Runs) -> str:
    """Two `make repro` take turns; of two `dvc repro` one may say that it is busy; a stage by hand is no hindrance."""
    wrong = []
    for command in (SAFE, PLAIN):
        runs.forget()
        both = [started(runs, *command), started(runs, *command)]
        by_hand = started(runs, sys.executable, "-m", "stages.adopt", f"network={NETWORKS[0]}")
        told = [told_by(process) for process in both]
        told_by(by_hand)
        statuses = [process.returncode for process in both]
        if 0 not in statuses or (command == SAFE and any(statuses)):
            wrong.append(f"{command[0]}: exit statuses {statuses}: {told[0][-300:]} {told[1][-300:]}")
        wrong += [f"no clear word: {said[-300:]}" for said, status in zip(told, statuses, strict=True)
                  if status and "busy" not in said and "lock" not in said]  # fmt: skip
        wrong += [f"{name} is not whole" for name in runs.not_whole()]
        wrong.append(runs.finish())
    return "; ".join(filter(None, wrong))


def flipped_bit(runs: Runs) -> str:
    """A flipped bit in the cache: DVC hands the file on as it is; without the bad file it is built again, the same."""
    path = runs.space.path / "weights" / NETWORKS[0] / "typed.onnx"
    cached = _cached(runs, path)
    data = bytearray(cached.read_bytes())
    data[len(data) // 2] ^= 1
    cached.chmod(0o644)
    cached.write_bytes(data)
    cached.chmod(0o444)
    path.unlink()
    runs.space.run("dvc", "checkout", "-q", check=False)
    if path.read_bytes() != bytes(data):
        return "DVC did not hand it on: docs/faults.md says that it does"
    cached.unlink()
    path.unlink(missing_ok=True)
    done = runs.space.run(*SAFE, check=False)
    return f"does not run again: {(done.stdout + done.stderr)[-500:]}" if done.returncode else idle_again(runs)


def _cached(runs: Runs, path: Path) -> Path:
    import hashlib

    digest = hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - the name that DVC gives it
    return runs.space.path / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def killed_experiment(runs: Runs) -> str:
    """kill -9 of `dvc exp run`: no stage lives on, and `make repro` brings HEAD back to its branch."""
    process = started(runs, "dvc", "exp", "run", "-S", "networks.foreign.compare.max_abs=0.5", "-S", "export.opset=19")
    _until(lambda: "foreign/exported" not in str([*(runs.space.path / "weights").rglob("*")]))
    branch = runs.space.run("git", "branch", "--show-current", check=False).stdout.strip()
    process.kill()
    process.wait()
    wrong = [f"lives on: {command}" for command in survivors(runs.mark)]
    if branch:
        wrong.append(f"HEAD was on {branch} while it ran: the test killed it too late or too early")
    runs.space.run("git", "checkout", "-q", ".", check=False)
    wrong.append(idle_again(runs, "it is back on"))
    if not runs.space.run("git", "branch", "--show-current").stdout.strip():
        wrong.append("HEAD is on no branch")
    return "; ".join(filter(None, wrong))


def killed_make(runs: Runs) -> str:
    """kill -9 of `make` itself ends DVC and the stage too."""
    runs.forget()
    process = started(runs, *SAFE)
    _until((runs.space.path / "weights" / NETWORKS[0] / "exported.onnx").exists)
    process.kill()
    process.wait()
    wrong = [f"lives on: {command}" for command in survivors(runs.mark)]
    return "; ".join(filter(None, [*wrong, runs.finish()]))


FAULTS: tuple[Fault, ...] = (
    cut_lock, cut_lock_and_plain_dvc, no_lock, cut_busy_list, clock, leftovers, interrupted_change, signals,
    two_at_once, flipped_bit, killed_experiment, killed_make, no_temporary_folder, full_disk, read_only_disk,
    read_only_folder, file_size_limit,
)  # fmt: skip


def run(folder: Path, only: str, lanes: int, say: Say) -> None:
    """Try every fault, on as many small checkouts as there are lanes."""
    chosen = [fault for fault in FAULTS if only in fault.__name__]
    shares = [share for number in range(lanes) if (share := chosen[number::lanes])]
    side_by_side([partial(_outcomes, folder / f"others{n}", n, share) for n, share in enumerate(shares)], say)


def _outcomes(folder: Path, seed: int, faults: Sequence[Fault]) -> Iterator[Outcome]:
    """Try faults on one checkout, one after another."""
    runs = Runs(folder, seed, NETWORKS)
    for fault in faults:
        began = time.monotonic()
        broken = missing = ""
        try:
            broken = fault(runs)
        except Missing as lack:
            missing = str(lack)
        except Exception:
            broken = traceback.format_exc()[-2000:]
        yield Outcome(HALF, fault.__name__, 0, broken, time.monotonic() - began, missing)
        runs.space.run("git", "checkout", "-q", ".", check=False)


def _until(there: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.01)
