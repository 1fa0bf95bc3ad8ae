"""How far each tensor of a rounded graph is from the exact one, along the network: where an error begins and grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from enginewright.graphs.inference import inferred
from enginewright.progress import progress
from enginewright.reference import Reference
from enginewright.rehearsing.gate import Tensor
from enginewright.rehearsing.ranges import MOST_VALUES
from enginewright.rehearsing.rounding import rounded
from enginewright.rehearsing.streaming import Streamed
from enginewright.rehearsing.twin import twin_of


def errors_along(typed: onnx.ModelProto, reference: Reference) -> dict[str, float]:
    """Return the relative error of every floating-point tensor in the graph's order, the worst over all samples.

    The exact twin and the rounded one run in step, so only the tensors of a few nodes are held.

    Raises:
        GraphError: if ONNX Runtime does not run a twin.
    """
    twin = twin_of(typed)
    exact, low = (Streamed(inferred(model)) for model in (twin.model, rounded(twin)))
    found: dict[str, float] = {}
    with progress("measuring the error of every tensor", len(reference), "samples") as tick:
        for done, (_, inputs, _) in enumerate(reference.samples(), start=1):
            pairs = exact.stream(inputs), low.stream(inputs)
            for name, values in pairs[0]:
                other = next(value for found_name, value in pairs[1] if found_name == name)
                if values.dtype.kind == "f":
                    found[name] = max(found.get(name, 0.0), relative_error(values, other))
            tick(done)
    return found


def relative_error(exact: NDArray[Any], low: NDArray[Any]) -> float:
    """Return the root mean square of the difference over that of `exact`; Inf where a finite value became none.

    Values that are not finite in `exact` already, such as a mask's, say nothing. Of a large tensor, values evenly taken
    tell the error.
    """
    if _lost(exact, low):
        return float("inf")
    step = max(1, exact.size // MOST_VALUES)
    before, after = (array.reshape(-1)[::step].astype(np.float64) for array in (exact, low))
    finite = np.isfinite(before)
    before, after = before[finite], after[finite]
    if not before.size:
        return 0.0
    size, error = (float(np.sqrt(np.mean(array * array))) for array in (before, after - before))
    return error / size if size else (float("inf") if error else 0.0)


def _lost(exact: NDArray[Any], low: NDArray[Any]) -> bool:
    """Return whether a finite value became Inf or NaN; its sum tells of a usual tensor that all of it is finite."""
    if np.isfinite(low.sum(dtype=np.float64)):
        return False
    return bool((np.isfinite(exact) & ~np.isfinite(low)).any())


def rows_of(
    typed: onnx.ModelProto, errors: Mapping[str, float], modules: Mapping[str, str], tensors: Sequence[Tensor]
) -> list[dict[str, Any]]:
    """Return the rows of errors.json, in the graph's order; `error` is null where values are lost (Inf or NaN)."""
    makers = {name: node for node in typed.graph.node for name in node.output}
    faults = {tensor.name: tensor.fault or "" for tensor in tensors}
    return [
        {
            "position": position,
            "tensor": name,
            "node": makers[name].name,
            "operator": makers[name].op_type,
            "module": modules.get(makers[name].name, ""),
            "error": error if np.isfinite(error) else None,
            "fault": faults.get(name, ""),
        }
        for position, (name, error) in enumerate((name, error) for name, error in errors.items() if name in makers)
    ]
