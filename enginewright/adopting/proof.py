"""The proof that what was adopted computes what the file computed."""

from __future__ import annotations

import numpy as np

from enginewright.adopting.run import run_onnx
from enginewright.config.sections import SwapConfig
from enginewright.errors import NetworkError
from enginewright.reference import Reference


def largest_difference(adopted: bytes, reference: Reference) -> float:
    """Return the largest absolute difference of any value output, over all samples at every shape of the reference.

    Indices do not count, as their numbers measure nothing: the compare stage counts those that differ.

    Raises:
        GraphError: if the ONNX file in `adopted` does not run.
    """
    outputs = [port.name for port in reference.contract.outputs]
    values = [port.name for port in reference.contract.outputs if not port.is_index]
    apart = [0.0]
    for shape in reference.shapes:
        found = run_onnx(adopted, shape.inputs, outputs, "the adopted graph")
        apart += [float(np.abs(shape.outputs[name].astype(np.float64) - found[name]).max(initial=0)) for name in values]
    return float(np.max(apart))  # unlike max(), it passes NaN on


def refuse_difference(difference: float, config: SwapConfig, opset: int) -> None:
    """Refuse an adopted graph that is further from the file than `swap.max_abs`.

    Raises:
        NetworkError: with both numbers.
    """
    if not difference <= config.max_abs:
        raise NetworkError(
            f"the file at opset {opset} with the LayerNorm form {config.form.name} computes something else",
            expected=f"at most {config.max_abs:g} (layernorm.max_abs)",
            got=f"{difference:g}",
            cure="the file's own opset and form (export.opset, layernorm), or a wider layernorm.max_abs",
        )


def refuse_count(found: int, expected: int) -> None:
    """Refuse a file that does not have the LayerNorms that the configuration counts; 0 counts none.

    Raises:
        NetworkError: with both counts.
    """
    if expected not in (0, found):
        raise NetworkError(
            "the file does not have the LayerNorms that it is known to have",
            expected=f"{expected} (model.layernorms)",
            got=found,
            cure="correct model.layernorms; what is left alone, and why, is printed above",
        )
