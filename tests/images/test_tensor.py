from __future__ import annotations

import numpy as np
import pytest

from enginewright.errors import DataError
from enginewright.images.tensor import to_input

IMAGES = list(np.random.default_rng(0).integers(0, 256, size=(3, 5, 7, 3), dtype=np.uint8))


def test_three_channels_are_the_pixels_in_0_to_1() -> None:
    tensor = to_input(IMAGES, 3)
    assert tensor.shape == (3, 3, 5, 7)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert (tensor[1, 2] == (IMAGES[1][:, :, 2] / np.float32(255)).astype(np.float32)).all()


def test_range_is_reached_at_both_ends() -> None:
    ends = [np.full((2, 2, 3), value, dtype=np.uint8) for value in (0, 255)]
    assert to_input(ends, 3)[:, 0, 0, 0].tolist() == [0, 1]
    assert to_input(ends, 1)[:, 0, 0, 0] == pytest.approx([0, 1], abs=1e-6)
    assert to_input(ends, 1).max() <= 1


def test_one_channel_is_luma() -> None:
    grey = to_input(IMAGES, 1)
    assert grey.shape == (3, 1, 5, 7)
    expected = (np.stack(IMAGES).astype(float) / 255) @ [0.299, 0.587, 0.114]
    assert grey[:, 0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_other_channels_are_refused(channels: int) -> None:
    with pytest.raises(DataError, match="1 or 3 channels"):
        to_input(IMAGES, channels)
