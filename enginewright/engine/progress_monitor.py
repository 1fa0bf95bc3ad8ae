"""Progress out of the building process, and a build that does not outlive whoever asked for it."""

from __future__ import annotations

import os
from typing import Any

STEP = b"."
"""What one finished step sends. A constant: a build's own memory, and so its bytes, must not depend on progress."""


def step_monitor(trt: Any, pipe: int) -> Any:
    """Return an IProgressMonitor that writes STEP to the file descriptor `pipe` for each finished step.

    It cancels the build when the parent process is gone, which a kill -9 would otherwise leave running.
    """
    parent = os.getppid()

    class StepMonitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Steps are what is counted."""

        def phase_finish(self, phase_name: str) -> None:
            """Steps are what is counted."""

        def step_complete(self, phase_name: str, step: int) -> bool:
            if os.getppid() != parent:
                return False
            os.write(pipe, STEP)
            return True

    return StepMonitor()
