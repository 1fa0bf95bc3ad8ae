"""Images 0 and 1 of each pair, interleaved in the batch."""

from __future__ import annotations

from torch import Tensor


def swap_images(x: Tensor) -> Tensor:
    """Exchange images 0 and 1 of each pair in `x` (2B, ...)."""
    return x.reshape(-1, 2, *x.shape[1:]).flip(1).reshape(x.shape)


def of_pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two (B, ...) of an interleaved `x` (2B, ...)."""
    paired = x.reshape(-1, 2, *x.shape[1:])
    return paired[:, 0], paired[:, 1]
