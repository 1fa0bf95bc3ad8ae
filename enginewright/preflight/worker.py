"""The child of preflight: `python -m enginewright.preflight.worker`, in a folder that holds a task and a graph.

A process of its own: a graph can kill the builder (a division by a constant zero does), and one process serves one
builder only.
"""

from __future__ import annotations

import os
from pathlib import Path

from enginewright.errors import RequirementError
from enginewright.lifeline import end_with_parent
from enginewright.preflight.asking import Asker
from enginewright.preflight.survey import survey
from enginewright.preflight.task import GRAPH, STEP, read_task, write_answer, write_missing
from enginewright.preflight.tool import Tool

_HERE = Path()


def main() -> None:
    """Do the task in the current folder; the answer, or what is missing, is written beside it."""
    end_with_parent()
    import onnx

    task = read_task(_HERE)
    _quiet()
    try:
        tool = Tool(task.options.build)
    except RequirementError as error:
        write_missing(_HERE, error.what)
        return
    step = os.open(STEP, os.O_WRONLY | os.O_CREAT)
    ask = Asker(tool, task.fatal, lambda number: _note(step, number))
    write_answer(_HERE, survey(ask, onnx.load_model(GRAPH), task.options))


def _note(descriptor: int, number: int) -> None:
    os.pwrite(descriptor, f"{number:8d}".encode(), 0)


def _quiet() -> None:
    """Let Polygraphy say nothing of the profiles that it completes."""
    from polygraphy.logger import G_LOGGER

    G_LOGGER.module_severity = G_LOGGER.CRITICAL


if __name__ == "__main__":
    main()
