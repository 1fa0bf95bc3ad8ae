"""A graph in ONNX Runtime on one provider, with inputs and outputs bound to its device for timing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import GraphError, RequirementError
from enginewright.graphs.provider import CPU, CUDA

_WARM_UP, _RUNS = 20, 100
_NO_KERNEL = ("NOT_IMPLEMENTED", "IsNodeCompatibleWithProvider")
"""What it says of an operator that it has not in the types of a graph: bf16's Greater in 1.31.1, for example."""


class Session:
    """One loaded graph.

    Raises:
        GraphError: if ONNX Runtime refuses the graph, on loading or on a call.
        RequirementError: if the provider cannot start here.
    """

    def __init__(self, graph: Path, provider: str, tf32: bool = False) -> None:
        import onnxruntime

        if provider == CUDA and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA's libraries are those that torch brought, where it is installed
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        chosen = [(CUDA, {"use_tf32": str(int(tf32))}), CPU] if provider == CUDA else [CPU]
        self._ort, self._name = onnxruntime, graph.name
        try:
            self._session = onnxruntime.InferenceSession(str(graph), options, providers=chosen)
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if any(words in str(error) for words in _NO_KERNEL):
                raise RequirementError(
                    f"ONNX Runtime's {provider} has no kernel for the types of {graph.name}", got=_short(error)
                ) from error
            raise self._refused(error) from error
        if provider not in self._session.get_providers():
            raise RequirementError(f"ONNX Runtime cannot start {provider} here", got=self._session.get_providers())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        try:
            values = self._session.run(None, dict(inputs))
        except Exception as error:  # as above
            raise self._refused(error) from error
        return {item.name: np.asarray(value) for item, value in zip(self._session.get_outputs(), values, strict=True)}

    def milliseconds(self, inputs: Mapping[str, NDArray[Any]]) -> list[float]:
        """Return the time of each of a hundred calls in ms; inputs and outputs lie on the GPU, each call is awaited."""
        binding = self._session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, self._ort.OrtValue.ortvalue_from_numpy(value, "cuda", 0))
        for item in self._session.get_outputs():
            binding.bind_output(item.name, "cuda")
        for _ in range(_WARM_UP):
            self._session.run_with_iobinding(binding)
        return [self._timed(binding) for _ in range(_RUNS)]

    def _timed(self, binding: Any) -> float:
        start = time.perf_counter()
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return (time.perf_counter() - start) * 1e3

    def _refused(self, error: Exception) -> GraphError:
        return GraphError(
            f"{self._name} does not run in ONNX Runtime: {_short(error)}", expected="a graph that it runs"
        )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
