"""A stage that DVC runs is handed over before its file is imported, so that its own process imports next to nothing."""

from __future__ import annotations

import sys

from enginewright.lifeline import end_with_dvc
from enginewright.warm.client import hand_over, wanted
from enginewright.warm.garbage import collect_seldom

ALL = ("numpy", "yaml", "omegaconf")
"""Packages that every stage imports."""

NEEDS: dict[str, tuple[str, ...]] = {
    "checkpoint": ("torch",),
    "adopt": ("onnx",),
    "swap": ("torch", "PIL.Image"),
    "merge": ("onnx",),
    "preflight": ("onnx",),
    "simplify": ("onnx",),
    "cast": ("onnx",),
    "compare": ("onnx", "polygraphy.comparator"),
    "build": ("onnx",),
    "match": ("onnx", "PIL.Image", "matplotlib.figure"),
    "attest": (),
    "report": ("jinja2",),
}
"""Packages of others that a stage imports whatever its configuration is. Export is not here: only its configuration
says what its exporter imports, so it is handed over once that is read. Nor is ONNX Runtime: importing it starts a
thread, and a fork without that thread hangs or ends in an abort.
"""

ONNXSIM = ("numpy", "onnx", "rich", "torch")
"""Packages that onnxsim imports, in a process that the simplify stage starts where a simplifier is configured."""


def hand_over_early() -> None:
    """Let the server run the stage that `python -m stages.NAME` asks for, and end as it ended.

    Returns where the stage has to run here: where DVC did not start it, or there is no server.
    """
    collect_seldom()
    module = _asked_for()
    stage = module.removeprefix("stages.")
    if stage not in NEEDS or not wanted():
        return
    end_with_dvc()
    status = hand_over((*ALL, *NEEDS[stage]), module)
    if status is not None:
        sys.exit(status)


def _asked_for() -> str:
    """Return the module that this process was started for with `python -m`, while its package is being imported."""
    words = sys.orig_argv[1:3]
    return words[1] if sys.argv[:1] == ["-m"] and words[:1] == ["-m"] and len(words) > 1 else ""
