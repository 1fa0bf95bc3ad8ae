"""Reduced floating-point formats: what they can hold, and how they round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto


@dataclass(frozen=True)
class Format:
    """One reduced format.

    largest: the largest finite number. exact_integers: every whole number up to this one is held exactly.
    """

    name: str
    dtype: Any
    largest: float
    exact_integers: int

    def rounded(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return float32 `values` rounded to the nearest number of this format; what is too large becomes Inf."""
        with np.errstate(over="ignore", invalid="ignore"):
            found: NDArray[np.float32] = values.astype(self.dtype).astype(np.float32)
        return found


FORMATS: dict[int, Format] = {
    TensorProto.FLOAT16: Format("float16", np.float16, 65504.0, 2048),
    TensorProto.BFLOAT16: Format("bfloat16", ml_dtypes.bfloat16, 3.3895313892515355e38, 256),
}
"""The formats that a graph can compute in, by ONNX element type. 8-bit ones are only stored, between Q and DQ nodes."""
