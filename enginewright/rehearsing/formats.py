"""Reduced floating-point formats: what they can hold, and how they round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

Float = NDArray[np.float32]


def _to_half(values: Float) -> Float:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float16).astype(np.float32)


def _to_brain(values: Float) -> Float:
    """Return finite values rounded to the upper half of their bits, ties to even; the carry makes Inf by itself."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    carried = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (carried & np.uint32(0xFFFF0000)).view(np.float32)


@dataclass(frozen=True)
class Format:
    """One reduced format.

    largest: the largest finite number. exact_integers: every whole number up to this one is held exactly.
    """

    name: str
    round: Callable[[Float], Float]
    largest: float
    exact_integers: int

    def rounded(self, values: NDArray[Any]) -> Float:
        """Return finite `values` rounded to the nearest number of this format; what is too large becomes Inf."""
        return self.round(values.astype(np.float32, copy=False))


FORMATS: dict[int, Format] = {
    TensorProto.FLOAT16: Format("float16", _to_half, 65504.0, 2048),
    TensorProto.BFLOAT16: Format("bfloat16", _to_brain, 3.3895313892515355e38, 256),
}
"""The formats that a graph can compute in, by ONNX element type. 8-bit ones are only stored, between Q and DQ nodes."""
