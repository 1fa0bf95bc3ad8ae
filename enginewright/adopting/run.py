"""Runs an ONNX file as it is written: ONNX Runtime, on a CPU, none of its rewrites."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import onnxruntime

from enginewright.errors import GraphError
from enginewright.graphs.provider import CPU
from enginewright.graphs.session_options import session_options
from enginewright.memory_limit import at_most_more, memory_left
from enginewright.reference import Arrays

_MOST_TEXT = 300
_FATAL = 4

MOST_SECONDS = 600.0
"""For one sample: a Loop can ask for more steps than anybody waits for."""


def run_onnx(data: bytes, inputs: Arrays, outputs: Sequence[str], name: str) -> Arrays:
    """Return the outputs (S, *shape) of the ONNX file in `data` on S samples; inputs are (S, *shape).

    ONNX Runtime's own optimisations stay off: it would fuse a decomposed LayerNorm, and prove nothing about it.

    Raises:
        GraphError: if it does not load, does not run, or an output's shape depends on the data; and if a float output
            has a NaN or Inf, with which nothing could be compared.
    """
    session = unoptimised_session(data, name)
    rows = [
        _one(session, {key: array[index] for key, array in inputs.items()}, outputs, name) for index in _each(inputs)
    ]
    stacked = {}
    for output in outputs:
        shapes = {row[output].shape for row in rows}
        if len(shapes) > 1:
            raise GraphError(
                f"the output {output} of {name} has a shape that depends on the data",
                expected="the same shape for every sample: an engine has no other",
                got=sorted(shapes),
                cure="export it without what selects by value: NonZero, boolean indexing, non-maximum suppression",
            )
        stacked[output] = np.stack([row[output] for row in rows])
        _refuse_infinite(output, stacked[output], name)
    return stacked


def _each(inputs: Arrays) -> range:
    return range(len(next(iter(inputs.values()))))


def unoptimised_session(data: bytes, name: str) -> onnxruntime.InferenceSession:
    """Return a session that runs the nodes of the ONNX file in `data` one by one, as they are written.

    Raises:
        GraphError: if it does not load.
    """
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _FATAL
    try:
        return onnxruntime.InferenceSession(data, options, providers=[CPU])
    except Exception as error:  # ONNX Runtime raises many kinds, some only as Exception
        raise _failure(f"{name} does not load in ONNX Runtime", error) from error


def _one(session: onnxruntime.InferenceSession, feed: Arrays, outputs: Sequence[str], name: str) -> Arrays:
    options = onnxruntime.RunOptions()
    clock = threading.Timer(MOST_SECONDS, setattr, (options, "terminate", True))
    clock.start()
    try:
        with at_most_more(memory_left()):
            return dict(zip(outputs, map(np.asarray, session.run(list(outputs), feed, options)), strict=True))
    except Exception as error:  # as above
        if options.terminate:
            raise _endless(name) from error
        raise _failure(f"{name} does not run in ONNX Runtime", error) from error
    finally:
        clock.cancel()


def _endless(name: str) -> GraphError:
    return GraphError(
        f"{name} does not come to an end",
        expected=f"outputs of one sample within {MOST_SECONDS:g} s",
        got="none: it was stopped",
        cure="look for a Loop that never ends; export the network again",
    )


def _failure(what: str, error: Exception) -> GraphError:
    text = " ".join(str(error).split())[:_MOST_TEXT]
    return GraphError(
        what, expected="a graph that runs on model.inputs", got=text, cure="check the shapes of model.inputs"
    )


def _refuse_infinite(output: str, array: np.typing.NDArray[np.generic], name: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise GraphError(
            f"the output {output} of {name} has NaN or Inf, with which nothing can be compared",
            expected="finite numbers",
            got=f"{int((~np.isfinite(array)).sum())} of {array.size}",
            cure="give model.inputs the range of real data: low and high, or your own samples",
        )
