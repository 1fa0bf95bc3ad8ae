"""The answering side of a worker's pipe: lines of JSON on what was standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def answering() -> Callable[[dict[str, Any]], None]:
    """Return what writes an answer; whatever else this process and its children print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    return answer
