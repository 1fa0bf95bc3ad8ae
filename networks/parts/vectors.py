"""Vectors of unit length, at every precision."""

from __future__ import annotations

import torch
from torch import Tensor

MIN_NORM = 1e-6
"""No vector is this short but zero; fp16 can hold the number, which a division by it needs."""


def unit(x: Tensor, dim: int) -> Tensor:
    """Return `x` at length 1 along `dim`; zero stays zero."""
    return x / torch.sqrt((x * x).sum(dim=dim, keepdim=True)).clamp_min(MIN_NORM)
