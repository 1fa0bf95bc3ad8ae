"""A matcher's weights as arrays that can be multiplied with each other before they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]


def read_weights(checkpoint: Path) -> Weights:
    """Return the tensors of a .safetensors file in float64."""
    from safetensors.numpy import load_file

    return {name: value.astype(np.float64) for name, value in load_file(checkpoint).items()}
