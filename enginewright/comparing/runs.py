"""Runs graphs on the reference's inputs in ONNX Runtime, driven by Polygraphy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from polygraphy.backend.onnxrt import OnnxrtRunner

import enginewright.comparing.numpy_only  # noqa: F401 - for its effect on Polygraphy
from enginewright.errors import CompareError, EnginewrightError, RequirementError
from enginewright.graphs.provider import CUDA
from enginewright.graphs.session_options import session_options
from enginewright.reference import Arrays, Reference

_MOST_TEXT = 300

Outcomes = dict[str, Arrays | CompareError]
"""For each artifact its outputs, or why it did not run at a corner."""


def run_graphs(graphs: Mapping[str, Path], reference: Reference, provider: str) -> Iterator[Outcomes]:
    """Yield, for each sample of each shape of the reference, {artifact: outputs}; one sample is held at a time.

    A graph that runs at the static shape and not at a corner has the error in place of outputs there.

    Raises:
        CompareError: if a graph does not load or does not run at the static shape.
        RequirementError: if the provider cannot start here.
    """
    with ExitStack() as stack, _explained(graphs, provider):
        runners = {
            name: stack.enter_context(OnnxrtRunner(partial(_session, path, provider), name=name))
            for name, path in graphs.items()
        }
        for contract, inputs, _ in reference.everywhere():
            static = contract == reference.contract
            yield {name: _outputs(runner, inputs, static) for name, runner in runners.items()}


def _outputs(runner: OnnxrtRunner, inputs: Arrays, static: bool) -> Arrays | CompareError:
    try:
        return {name: np.asarray(value) for name, value in runner.infer(inputs).items()}
    except Exception as error:  # of many kinds, as in _explained
        if static:
            raise
        return CompareError(f"it does not run: {' '.join(str(error).split())[:_MOST_TEXT]}")


@contextmanager
def _explained(graphs: Mapping[str, Path], provider: str) -> Iterator[None]:
    try:
        yield
    except EnginewrightError:
        raise
    except Exception as error:  # ONNX Runtime and Polygraphy raise many kinds, some only as Exception
        raise CompareError(
            f"a graph did not run in ONNX Runtime: {error}", expected=f"{', '.join(graphs)} run on {provider}"
        ) from error


def _session(path: Path, provider: str) -> onnxruntime.InferenceSession:
    # TF32 rounds fp32 products to ten bits; a proof must not depend on it.
    chosen = (CUDA, {"use_tf32": "0"}) if provider == CUDA else provider
    session = onnxruntime.InferenceSession(str(path), session_options(), providers=[chosen])
    refuse_fallback(session, provider)
    return session


def refuse_fallback(session: onnxruntime.InferenceSession, provider: str) -> None:
    """Refuse a session that is not on `provider`: where one cannot start, ONNX Runtime takes the CPU without an error.

    Raises:
        RequirementError: naming the providers that the session has.
    """
    if provider not in session.get_providers():
        raise RequirementError(
            f"ONNX Runtime cannot start {provider} here",
            expected="its driver and libraries",
            got=session.get_providers(),
            cure="run on a machine that has them, or install onnxruntime without a GPU",
        )
