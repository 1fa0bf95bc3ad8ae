"""Stages in forks of this process, which has imported what is dear: the real stage, as `python -m` runs it."""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from enginewright.lifeline import end_with

DEAR = (
    "numpy", "onnx", "onnxruntime", "torch.onnx", "skimage", "PIL.Image", "yaml", "safetensors.torch",
    "matplotlib.pyplot", "modelopt.onnx.autocast", "jinja2",
)  # fmt: skip
OURS = ("enginewright", "stages", "networks")
MARK = "ENGINEWRIGHT_TORTURE"
"""Environment variable that every process below a case has, by which those that live on are found."""


def import_dear(names: Sequence[str]) -> None:
    """Import packages that stages use."""
    for name in names:
        importlib.import_module(name)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status (below 0: by that signal), what it printed, and the seconds that it took."""

    status: int
    told: str
    seconds: float


class Fork:
    """A stage at work in `folder`."""

    def __init__(self, folder: Path, module: str, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.log = folder / ".cache" / f"torture-{os.getpid()}.log"
        self.log.parent.mkdir(exist_ok=True)
        self.began = time.monotonic()
        self.process = os.fork()
        if not self.process:
            _become(folder, module, words, environment, self.log)

    def wait(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self.process, 0)
        told = self.log.read_text(encoding="utf-8", errors="replace")
        return Ended(os.waitstatus_to_exitcode(status), told, time.monotonic() - self.began)

    def kill_after(self, seconds: float) -> Ended:
        """Kill it after a while, unless it has ended by then."""
        time.sleep(max(0.0, seconds - (time.monotonic() - self.began)))
        os.kill(self.process, signal.SIGKILL)
        return self.wait()


def _become(folder: Path, module: str, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run the module in this fork, and end."""
    status, parent = 1, os.getppid()
    try:
        end_with(parent)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ.update(environment)
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
        sys.path[0] = str(folder)
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def survivors(mark: str, seconds: float = 10.0) -> list[str]:
    """Return the commands of processes that carry the mark and still live after a while."""
    end = time.monotonic() + seconds
    while (found := _marked(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _marked(mark: str) -> list[str]:
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and wanted in _read(entry / "environ").split(b"\0") and _lives(entry):
            found.append(_read(entry / "cmdline").replace(b"\0", b" ").decode(errors="replace"))
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _lives(entry: Path) -> bool:
    return _read(entry / "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"], [b"X"])
