"""One command of a stage: as DVC runs it, and with an interrupt that came before it could get it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.stage.exceptions import StageCmdFailedError  # type: ignore[import-untyped]

from enginewright.side_by_side.command import run_command


def test_a_command_runs_in_its_folder(tmp_path: Path) -> None:
    run_command(threading.Event(), "/bin/sh", "echo here > out", cwd=tmp_path)
    assert (tmp_path / "out").read_text() == "here\n"


def test_a_status_that_is_not_0_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageCmdFailedError, match="exited with 3"):
        run_command(threading.Event(), "/bin/sh", "exit 3", cwd=tmp_path)


@pytest.fixture
def noting() -> Iterator[None]:
    """Handle SIGINT, as the loop does: a process whose parent ignores it, as one behind a shell's & may, would too."""
    usual = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.usefixtures("noting")
def test_an_interrupt_before_the_start_ends_it(tmp_path: Path) -> None:
    interrupted = threading.Event()
    interrupted.set()
    with pytest.raises(StageCmdFailedError, match="exited with -2"):
        run_command(interrupted, "/bin/sh", "exec sleep 30", cwd=tmp_path)
