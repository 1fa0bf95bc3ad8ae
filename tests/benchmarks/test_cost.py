"""What a command cost: time and memory of all its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from benchmarks.cost import CommandError, Cost, run
from tests.e2e.workspace import ROOT

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def held_mb() -> float:
    """Return what this process held at most: a child counts it as its own until it becomes another program."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3


def python(code: str, folder: Path) -> Cost:
    return run((sys.executable, "-c", code), folder, os.environ).cost


def test_processor_time_is_that_of_children_too(tmp_path: Path) -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"
    assert python(code, tmp_path).cpu_s >= 0.3


def test_processor_time_is_that_of_children_that_outlive_their_parent_too(tmp_path: Path) -> None:
    code = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BURN!r}])"
    assert python(code, tmp_path).cpu_s >= 0.3


def test_a_command_ends_when_it_ends_and_not_when_its_children_do(tmp_path: Path) -> None:
    cost = python("import subprocess\nsubprocess.Popen(['sleep', '2'])", tmp_path)
    assert cost.wall_s < 2


def test_memory_is_the_sum_of_the_group_and_the_largest_process(tmp_path: Path) -> None:
    held = "import time; data = b'x' * 400_000_000; time.sleep(3)"
    code = f"import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', {held!r}])\n{held}\np.wait()"
    cost = python(code, tmp_path)
    assert 400 < cost.largest_process_mb < max(600, held_mb() + 100)
    assert cost.peak_mb > 790


def test_a_command_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"status 3\nno"):
        run(("sh", "-c", "echo no >&2; exit 3"), tmp_path, os.environ)


def test_a_command_that_does_not_exist_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be started"):
        run(("no-such-program",), tmp_path, os.environ)


def test_costs_of_commands_add_up_but_for_their_peaks() -> None:
    assert Cost(1, 2, 30, 4) + Cost(10, 20, 3, 40) == Cost(11, 22, 30, 40)


def test_an_interrupted_benchmark_ends_what_it_started(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from benchmarks.cost import run\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        f"run(('sh', '-c', 'echo $$ > {tmp_path}/pid; sleep 2; kill -s ALRM $PPID; sleep 99'), Path('/'), os.environ)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert b"KeyboardInterrupt" in done.stderr
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text(encoding="utf-8")))
