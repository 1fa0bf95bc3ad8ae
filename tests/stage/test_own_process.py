"""A stage that reads what somebody else made, and what becomes of it when the reader crashes."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from enginewright.errors import DataError, GraphError, exit_with
from enginewright.stage.own_process import in_own_process
from tests.dag import ROOT


def test_its_work_is_done_and_its_status_is_ours(tmp_path: Path) -> None:
    assert in_own_process(lambda: (tmp_path / "made").write_text("x"), "a file") == 0
    assert (tmp_path / "made").read_text() == "x"
    assert in_own_process(lambda: sys.exit(3), "a file") == 3


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL])
def test_a_crash_is_an_error_that_says_so(number: signal.Signals) -> None:
    with pytest.raises(DataError, match=rf"reading the ONNX file ended the process .*{number.name}"):
        in_own_process(lambda: _end_by(number), "the ONNX file")


def _end_by(number: int) -> None:
    faulthandler.disable()  # pytest's own would tell of the crash
    os.kill(os.getpid(), number)


def test_an_error_of_the_users_is_told_there_once(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise GraphError("a broken graph")

    assert in_own_process(lambda: exit_with(work), "a file") == 1
    assert capfd.readouterr().err == "error: a broken graph\n"


def test_a_mistake_of_ours_keeps_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_own_process(lambda: 1 / 0, "a file") == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


WAITING = """
import os, time
from enginewright.stage.own_process import in_own_process

def work():
    print(os.getpid(), flush=True)
    time.sleep(60)

in_own_process(work, "a file")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, where a process can end with its parent")
def test_it_ends_with_the_stage_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _lives(child):
            return
        time.sleep(0.05)
    pytest.fail("the reader lives on")


def _lives(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
