"""Runs graphs on the reference's inputs in ONNX Runtime, driven by Polygraphy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from polygraphy.backend.onnxrt import OnnxrtRunner, SessionFromOnnx
from polygraphy.comparator import Comparator

import enginewright.comparing.numpy_only  # noqa: F401 - for its effect on Polygraphy
from enginewright.errors import CompareError, EnginewrightError, RequirementError
from enginewright.graphs.provider import CUDA
from enginewright.reference import Arrays, Reference


def run_graphs(graphs: Mapping[str, Path], reference: Reference, provider: str) -> Iterator[dict[str, Arrays]]:
    """Yield, for each sample of the reference, {artifact: outputs} of all graphs; one sample is held at a time.

    Raises:
        CompareError: if a graph does not load or does not run.
        RequirementError: if the provider cannot start here.
    """
    runners = [OnnxrtRunner(partial(_session, path, provider), name=name) for name, path in graphs.items()]
    feeds = (inputs for _, inputs, _ in reference.samples())
    try:
        for results in Comparator.run(runners, data_loader=feeds, streaming=True):
            yield {name: {key: np.asarray(value) for key, value in runs[0].items()} for name, runs in results.items()}
    except EnginewrightError:
        raise
    except Exception as error:  # ONNX Runtime and Polygraphy raise many kinds, some only as Exception
        raise CompareError(
            f"a graph did not run in ONNX Runtime: {error}", expected=f"{', '.join(graphs)} run on {provider}"
        ) from error


def _session(path: Path, provider: str) -> onnxruntime.InferenceSession:
    # TF32 rounds fp32 products to ten bits; a proof must not depend on it.
    chosen = (CUDA, {"use_tf32": "0"}) if provider == CUDA else provider
    session = SessionFromOnnx(str(path), providers=[chosen])()
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
