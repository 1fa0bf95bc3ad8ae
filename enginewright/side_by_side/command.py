"""One command of a stage, and Ctrl-C that comes while it starts."""

from __future__ import annotations

import signal
import subprocess
import threading
from typing import Any

from dvc.stage.exceptions import StageCmdFailedError  # type: ignore[import-untyped]
from dvc.stage.run import _make_cmd  # type: ignore[import-untyped]


def run_command(interrupted: threading.Event, shell: str | None, words: str, /, **options: Any) -> None:
    """Run a command as DVC does, and pass on to it an interrupt that came too early for it.

    A process between fork and exec still has this one's handler, and one that is not forked yet is told nothing.

    shell: path of the one that runs `words`. options: for subprocess.Popen.

    Raises:
        StageCmdFailedError: if its exit status is not 0.
    """
    process = subprocess.Popen(_make_cmd(shell, words), **options)  # returns after exec
    if interrupted.is_set():
        process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode != 0:
        raise StageCmdFailedError(words, process.returncode)
