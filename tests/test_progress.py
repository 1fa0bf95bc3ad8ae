"""Progress: nothing for short work, a line a heartbeat for long work, and only ever on standard error."""

from __future__ import annotations

import os
import pty
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from enginewright import progress as module
from enginewright.progress import progress


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the heartbeat: the tests wait for its lines, not for seconds."""
    monkeypatch.setattr(module, "_HEARTBEAT_S", 0.01)


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until it has happened; the timeout only ends a test that would never."""
    for _ in range(2000):
        if happened():
            return
        threading.Event().wait(0.005)
    pytest.fail("no heartbeat was seen")


class Told:
    """Standard error of a test, read bit by bit."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture, self.text = capture, ""

    def holds(self, words: str) -> bool:
        """Return whether the words were written by now."""
        read = self._capture.readouterr()
        assert read.out == "", "standard output is for results"
        self.text += read.err
        return words in self.text


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Return what is written to standard error."""
    return Told(capsys)


def test_short_work_prints_nothing(told: Told) -> None:
    with progress("export disk") as tick:
        tick(3)
    assert not told.holds("export")
    assert told.text == ""


@pytest.mark.usefixtures("fast")
def test_long_work_says_what_runs_and_for_how_long(told: Told) -> None:
    with progress("export disk"):
        wait_for(lambda: told.holds("export disk: 0 s\n"))


@pytest.mark.usefixtures("fast")
def test_what_is_done_is_told_with_its_unit(told: Told) -> None:
    with progress("download", unit="MB") as tick:
        tick(12.5)
        wait_for(lambda: told.holds("download: 12.5 MB, 0 s\n"))


@pytest.mark.usefixtures("fast")
def test_a_known_total_gives_a_share(told: Told) -> None:
    with progress("download", total=50, unit="MB") as tick:
        tick(25)
        wait_for(lambda: told.holds("download: 25 of 50 (50%) MB, 0 s\n"))
        tick(50)
        wait_for(lambda: told.holds("download: 50 of 50 (100%) MB, 0 s\n"))


@pytest.mark.usefixtures("fast")
def test_nothing_done_yet_is_told_as_zero_once_it_is_said(told: Told) -> None:
    with progress("build", total=8) as tick:
        wait_for(lambda: told.holds("build: 0 s\n"))
        tick(0)
        wait_for(lambda: told.holds("build: 0 of 8 (0%), 0 s\n"))


@pytest.mark.usefixtures("fast")
def test_the_last_state_is_told_when_work_that_was_shown_ends(told: Told) -> None:
    with progress("build", total=8) as tick:
        wait_for(lambda: told.holds("build"))
        tick(8)
    told.holds("")
    assert told.text.endswith("build: 8 of 8 (100%), 0 s\n")


@pytest.mark.usefixtures("fast")
def test_an_error_passes_through_and_the_line_stops(told: Told) -> None:
    before = threading.active_count()

    def fail() -> None:
        with progress("build"):
            wait_for(lambda: told.holds("build"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threading.active_count() == before
    told.holds("")
    length = len(told.text)
    threading.Event().wait(0.05)
    told.holds("")
    assert len(told.text) == length


@pytest.mark.usefixtures("fast")
def test_two_tasks_at_once_do_not_mix(told: Told) -> None:
    with progress("outer"), progress("inner") as tick:
        tick(1)
        wait_for(lambda: told.holds("outer: 0 s\n") and told.holds("inner: 1, 0 s\n"))


@contextmanager
def terminal() -> Iterator[int]:
    """Make standard error a terminal; yield the end that a person would look at."""
    seen, drawn = pty.openpty()
    os.set_blocking(seen, False)
    with os.fdopen(drawn, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        yield seen
    os.close(seen)


@pytest.mark.usefixtures("fast")
def test_on_a_terminal_one_line_is_redrawn_and_kept_at_the_end() -> None:
    """A terminal turns the last line feed into carriage return and line feed."""
    with terminal() as seen:
        with progress("build"):
            wait_for(lambda: bool(select.select([seen], [], [], 0)[0]))
        drawn = b""
        while b"\n" not in drawn and select.select([seen], [], [], 10)[0]:
            drawn += os.read(seen, 100_000)
    assert drawn.startswith(b"build: 0 s\x1b[K\r")
    assert drawn.endswith(b"build: 0 s\x1b[K\r\n")
    assert drawn.count(b"\n") == 1
