"""onnxsim, run where it cannot take the stage along."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx

from enginewright.errors import GraphError
from enginewright.graphs.files import load_graph
from enginewright.lifeline import bound
from enginewright.simplifying.child import REFUSED

CHILD = (sys.executable, "-m", "enginewright.simplifying.child")
_CURE = "simplify=none passes the exported graph on as it is"


def simplified(source: Path, timeout_s: float, child: Sequence[str] = CHILD) -> onnx.ModelProto:
    """Return the graph in `source` as onnxsim simplifies it, in a child process that is stopped after `timeout_s`.

    Raises:
        GraphError: if the child crashes, hangs, fails, or onnxsim finds that its result computes something else.
    """
    with tempfile.TemporaryDirectory(prefix="onnxsim-") as folder:
        target = Path(folder) / "simplified.onnx"
        try:
            done = subprocess.run(
                [*child, str(source), str(target)],
                env=bound(),
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GraphError(
                "onnxsim did not finish", expected=f"at most {timeout_s:g} s (simplify.timeout_s)", cure=_CURE
            ) from error
        if done.returncode:
            raise GraphError(_what(done.returncode), expected="exit status 0", got=_tail(done.stderr), cure=_CURE)
        return _load(target)


def _load(target: Path) -> onnx.ModelProto:
    try:
        return load_graph(target)
    except (OSError, GraphError) as error:
        raise GraphError(
            "onnxsim ended well but wrote no graph", expected="a whole ONNX file", got=error, cure=_CURE
        ) from error


def _what(status: int) -> str:
    if status == REFUSED:
        return "onnxsim says that its own result computes something else"
    if status == -signal.SIGKILL:
        return "onnxsim was killed (SIGKILL), mostly for a lack of memory"
    if status < 0:
        return f"onnxsim crashed ({signal.Signals(-status).name})"
    return f"onnxsim failed with exit status {status}"


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
