"""`make repro` starts the guess at imports (ahead.py) here. No stage reaches it: client.py is what a stage asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from enginewright.warm.client import possible


def start_ahead(targets: Sequence[str] = ()) -> None:
    """Let imports begin for this process, which is going to be DVC, and to run all stages or targets and their needs.

    It is done by a process of its own (ahead.py), so that this one imports nothing for it.
    """
    if possible():
        quiet = subprocess.DEVNULL
        words = [sys.executable, "-m", "enginewright.warm.ahead", str(os.getpid()), *targets]
        subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet)
