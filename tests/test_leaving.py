"""A process that leaves at once loses nothing that it was to do at its end."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.dag import ROOT

ENDING = """
import atexit, sys, threading, time
from enginewright.leaving import leave

class Slow:
    def __del__(self):
        print("taken apart")

kept = Slow()
atexit.register(lambda: print("called"))
threading.Thread(target=lambda: (time.sleep(0.2), print("waited for"))).start()
sys.stdout.write("printed ")
leave(7)
"""


def test_threads_exit_functions_and_streams_are_done_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout == "printed waited for\ncalled\n"


def test_a_reader_that_has_ended_is_no_error() -> None:
    code = "import sys; from enginewright.leaving import leave; print('x' * 9); sys.stdin.read(); leave(3)"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=buffered,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.close()
    assert process.wait(60) == 3
    assert process.stderr.read() == b""
