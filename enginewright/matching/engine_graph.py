"""An engine as a graph of a chain, run by Polygraphy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import BuildError
from enginewright.matching.features import Arrays
from enginewright.matching.graph import require


class EngineGraph:
    """An engine, loaded after its record's digest, version and compute capability were checked.

    Raises:
        BuildError: if the engine is not the one that the record describes, or fails in a call.
        RequirementError: if this machine lacks a GPU that it can run on.
    """

    def __init__(self, engine: Path, record: Path) -> None:
        from enginewright.engine.loader import load_engine

        # Loading decides which TensorRT Polygraphy drives, so Polygraphy is imported after it. A statement beside the
        # engine is not asked: it may still be that of an earlier run, since it is written after the matches are judged.
        self._engine: Any = load_engine(engine, record, attested=False)
        from polygraphy.backend.trt import TrtRunner
        from polygraphy.exception import PolygraphyException

        self._name = engine.name
        self._runner: Any = TrtRunner(self._engine)
        try:
            self._runner.activate()
        except PolygraphyException as error:
            raise _refused(self._name, error) from error

    def slots(self, name: str) -> int:
        """Return the size of the first axis of input `name`; the profile's least where it is left open."""
        require([name], (self._engine.get_tensor_name(n) for n in range(self._engine.num_io_tensors)), self._name)
        size = int(self._engine.get_tensor_shape(name)[0])
        return size if size > 0 else int(self._engine.get_tensor_profile_shape(name, 0)[0][0])

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs by name, copied: the runner uses its buffers again."""
        from polygraphy.exception import PolygraphyException

        try:
            outputs = self._runner.infer(dict(inputs))
        except PolygraphyException as error:
            raise _refused(self._name, error) from error
        return {name: np.array(value) for name, value in outputs.items()}

    def close(self) -> None:
        """Free the GPU memory of the engine's context."""
        self._runner.deactivate()


def _refused(name: str, error: Exception) -> BuildError:
    return BuildError(f"{name} does not run: {error}", expected="an engine that runs on this GPU")
