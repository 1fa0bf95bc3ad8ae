from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from enginewright.errors import DataError
from enginewright.matching.normalise import interleave, normalise_keypoints
from tests.networks.real import import_published

PIXELS = hnp.arrays(np.float32, (3, 5, 2), elements=st.floats(0, 4096, width=32))
SIDES = st.integers(1, 4096)


@settings(deadline=None)
@given(keypoints=PIXELS, width=SIDES, height=SIDES)
def test_normalised_keypoints_are_bit_for_bit_the_published_ones(
    keypoints: NDArray[np.float32], width: int, height: int
) -> None:
    normalise = sys.modules[import_published().lightglue.__module__].normalize_keypoints
    size = torch.tensor([[width, height]] * 3, dtype=torch.float32)
    expected = normalise(torch.from_numpy(keypoints), size).numpy()
    ours = normalise_keypoints(keypoints, width, height)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, expected)


def test_the_longer_side_reaches_from_minus_one_to_one_and_the_shorter_keeps_its_proportion() -> None:
    corners = [[0, 0], [640, 480], [320, 240]]
    assert normalise_keypoints(corners, 640, 480).tolist() == [[-1.0, -0.75], [1.0, 0.75], [0.0, 0.0]]
    assert normalise_keypoints(corners[:1], 480, 640).tolist() == [[-0.75, -1.0]]


def test_one_keypoint_and_none_have_shapes_too() -> None:
    assert normalise_keypoints([4.0, 2.0], 8, 4).tolist() == [0.0, 0.0]
    assert normalise_keypoints(np.zeros((2, 0, 2)), 8, 4).shape == (2, 0, 2)


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (2, 5, 1)])
def test_what_has_no_x_and_y_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="no x and y"):
        normalise_keypoints(np.zeros(shape), 8, 4)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, 4), (float("nan"), 4)])
def test_an_image_without_area_is_refused(size: tuple[float, float]) -> None:
    with pytest.raises(DataError, match="no area"):
        normalise_keypoints(np.zeros((1, 2)), *size)


@given(pairs=st.integers(0, 4), count=st.integers(0, 3))
def test_rows_alternate_between_the_images_of_a_pair(pairs: int, count: int) -> None:
    first = np.arange(pairs * count * 2, dtype=np.float32).reshape(pairs, count, 2)
    second = -1 - first
    both = interleave(first, second)
    assert both.shape == (2 * pairs, count, 2)
    assert both.dtype == first.dtype
    np.testing.assert_array_equal(both[0::2], first)
    np.testing.assert_array_equal(both[1::2], second)


def test_indices_can_be_interleaved_as_well() -> None:
    both = interleave(np.array([1, 2], dtype=np.int32), np.array([3, 4], dtype=np.int32))
    assert both.tolist() == [1, 3, 2, 4]
    assert both.dtype == np.int32


@pytest.mark.parametrize("shapes", [((1, 4, 2), (1, 5, 2)), ((2, 3), (1, 3)), ((), ())])
def test_sides_that_do_not_fit_are_refused_with_the_cure(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(DataError, match="do not fit") as caught:
        interleave(np.zeros(shapes[0]), np.zeros(shapes[1]))
    assert "pad both sides" in str(caught.value)


def test_normalising_does_not_import_torch() -> None:
    code = "import sys, enginewright.matching.normalise; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
