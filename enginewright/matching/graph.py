"""A graph that can be run, by ONNX Runtime or as an engine: named arrays in, named arrays out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import GraphError, RequirementError
from enginewright.graphs.provider import CPU, CUDA
from enginewright.graphs.session_options import session_options
from enginewright.matching.features import Arrays


class Graph(Protocol):
    """What a chain needs of a graph."""

    def slots(self, name: str) -> int:
        """Return the size of the first axis of input `name`; 1 where it is left open."""

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""


class OnnxGraph:
    """A graph in ONNX Runtime, with deterministic kernels.

    Raises:
        GraphError: if ONNX Runtime refuses the graph, on loading or on a call.
        RequirementError: if the provider cannot start here.
    """

    def __init__(self, path: Path, provider: str = CPU) -> None:
        import onnxruntime

        options = session_options()
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        # TF32 rounds fp32 products to ten bits; a proof must not depend on it.
        chosen = [(CUDA, {"use_tf32": "0"}), CPU] if provider == CUDA else [CPU]
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=chosen)
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise _refused(path.name, error) from error
        if provider not in self._session.get_providers():  # it falls back to the CPU without an error
            raise RequirementError(
                f"ONNX Runtime offers {provider} but cannot start it: run where its driver and libraries are",
                got=self._session.get_providers(),
            )
        self._name = path.name
        self._slots = {item.name: _first_axis(item.shape) for item in self._session.get_inputs()}

    def slots(self, name: str) -> int:
        """Return the size of the first axis of input `name`; 1 where it is left open."""
        require([name], self._slots, self._name)
        return self._slots[name]

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        try:
            values = self._session.run(None, dict(inputs))
        except Exception as error:  # as above
            raise _refused(self._name, error) from error
        names = (item.name for item in self._session.get_outputs())
        return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def require(names: Iterable[str], found: Iterable[str], graph: str) -> None:
    """Refuse a graph whose tensors have other names than its contract fixes.

    Raises:
        GraphError: naming the tensors that are missing.
    """
    there = sorted(found)
    missing = [name for name in names if name not in there]
    if missing:
        raise GraphError(
            f"{graph} breaks the contract of its kind: {', '.join(missing)} is missing",
            expected=missing,
            got=there,
            cure="export it again with the contract's names",
        )


def _first_axis(shape: list[int | str | None]) -> int:
    size = shape[0] if shape else None
    return size if isinstance(size, int) and size > 0 else 1


def _refused(name: str, error: Exception) -> GraphError:
    return GraphError(f"{name} does not run in ONNX Runtime: {error}", expected="a graph that ONNX Runtime runs")
