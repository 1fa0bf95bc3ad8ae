"""What becomes of a build when one of its two processes is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.graphs import ROOT, chain

KILLED = """
import sys
from pathlib import Path
from enginewright.config.sections import BuildConfig
from enginewright.engine.bindings import Binding
from enginewright.engine.build import build_engine
from enginewright.engine.job import Job
size = (1, 256, 256)
ports = [(Binding(name, "float32", size),) for name in ("x", "y")]
build_engine(Path(sys.argv[1]), Job(BuildConfig(), *ports, {}))
"""


def workers(parent: int) -> list[int]:
    """Return the process ids of the building processes that `parent` started."""
    found = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [
        process
        for process in found
        if parent_of(process) == parent and "enginewright.engine.worker" in command(process)
    ]


def parent_of(process: int) -> int | None:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def command(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")


def started(graph: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a build of seconds in a process of its own, and return that and its building process's id."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(graph)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 90
    while not (found := workers(process.pid)) and time.monotonic() < end:
        time.sleep(0.05)
    return process, found[0]


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def test_a_killed_building_process_is_a_clear_error(tmp_path: Path) -> None:
    process, worker = started(chain(tmp_path / "graph.onnx", layers=400))
    os.kill(worker, signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "BuildError: the building process of tensorrt_rtx died" in stderr
    assert "signal SIGKILL" in stderr
    assert "lack of memory" in stderr


def test_a_killed_caller_takes_the_building_process_along(tmp_path: Path) -> None:
    process, worker = started(chain(tmp_path / "graph.onnx", layers=400))
    process.kill()
    process.communicate(timeout=60)
    end = time.monotonic() + 90
    while alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(worker)
