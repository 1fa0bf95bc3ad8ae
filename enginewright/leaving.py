"""The end of a process that holds large packages: taking them apart in order takes Python longer than some runs."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End this process at once: threads waited for, exit functions called, streams written, nothing taken apart."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # whoever read it has ended
            stream.flush()
    os._exit(status & 0xFF)
