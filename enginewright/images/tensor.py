"""Images as a network takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import DataError
from enginewright.images.pair import Image8

_RED, _GREEN, _BLUE = np.float32(0.299), np.float32(0.587), np.float32(0.114)  # luma weights of ITU-R BT.601


def to_input(images: Sequence[Image8], channels: int) -> NDArray[np.float32]:
    """Return N images of one size as (N, channels, height, width) float32 in 0..1; one channel is luma.

    Raises:
        DataError: if `channels` is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise DataError("a network takes images in a way that is not known", expected="1 or 3 channels", got=channels)
    pixels = np.stack(images).astype(np.float32) / np.float32(255)
    if channels == 1:
        # A sum of products, not a matrix product: its order, and so its last bit, is the same on every machine.
        luma = pixels[..., 0] * _RED + pixels[..., 1] * _GREEN + pixels[..., 2] * _BLUE
        pixels = luma[..., None].clip(0, 1)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
