"""Real images and features as samples of one network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.images import Pair, Unknown
from enginewright.matching.normalise import normalise_keypoints
from enginewright.samples import batched, extractor_samples, grouped_names, matcher_samples

HEIGHT, WIDTH, SLOTS, LENGTH = 12, 20, 5, 8


def pairs(count: int = 3) -> list[Pair]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 2, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return [Pair(f"pair{index}", images[index, 0], images[index, 1], Unknown()) for index in range(count)]


def features(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return keypoints (2N, K, 2) in pixels and descriptors (2N, K, D), every row of them its own."""
    random = np.random.default_rng(1)
    points = random.uniform(0, 12, (2 * count, SLOTS, 2)).astype(np.float32)
    return points, random.standard_normal((2 * count, SLOTS, LENGTH)).astype(np.float32)


def test_an_extractor_sees_every_image_of_every_pair_in_order() -> None:
    inputs, names = extractor_samples(pairs(), channels=3, batch=1)
    assert list(inputs) == ["image"]
    assert inputs["image"].shape == (6, 1, 3, HEIGHT, WIDTH)
    assert inputs["image"].dtype == np.float32
    assert names == ("pair0/0", "pair0/1", "pair1/0", "pair1/1", "pair2/0", "pair2/1")
    for index, image in enumerate(image for pair in pairs() for image in pair.images):
        np.testing.assert_allclose(inputs["image"][index, 0], image.transpose(2, 0, 1) / 255, atol=1e-6)


def test_grey_networks_get_one_channel() -> None:
    inputs, _ = extractor_samples(pairs(1), channels=1, batch=2)
    assert inputs["image"].shape == (1, 2, 1, HEIGHT, WIDTH)
    assert 0 <= inputs["image"].min() < inputs["image"].max() <= 1


def test_the_last_extractor_sample_is_filled_up_with_the_last_image() -> None:
    single, _ = extractor_samples(pairs(), channels=3, batch=1)
    inputs, names = extractor_samples(pairs(), channels=3, batch=4)
    assert inputs["image"].shape == (2, 4, 3, HEIGHT, WIDTH)
    assert names == ("pair0/0+pair0/1+pair1/0+pair1/1", "pair2/0+pair2/1")
    order = [0, 1, 2, 3, 4, 5, 5, 5]
    np.testing.assert_array_equal(inputs["image"].reshape(8, 3, HEIGHT, WIDTH), single["image"][order, 0])


def test_a_matcher_gets_both_images_of_a_pair_next_to_each_other_normalised() -> None:
    points, descriptors = features(3)
    inputs, names = matcher_samples(pairs(), points, descriptors, batch=1)
    assert names == ("pair0", "pair1", "pair2")
    assert inputs["keypoints"].shape == (3, 2, SLOTS, 2)
    assert inputs["descriptors"].shape == (3, 2, SLOTS, LENGTH)
    assert {array.dtype for array in inputs.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(inputs["descriptors"].reshape(descriptors.shape), descriptors)
    centred = (points - np.array([WIDTH / 2, HEIGHT / 2])) / (max(WIDTH, HEIGHT) / 2)
    np.testing.assert_allclose(inputs["keypoints"].reshape(points.shape), centred, atol=1e-6)


def test_a_batch_of_pairs_is_interleaved_and_the_last_one_filled_up() -> None:
    points, descriptors = features(3)
    inputs, names = matcher_samples(pairs(), points, descriptors, batch=2)
    assert names == ("pair0+pair1", "pair2")
    assert inputs["descriptors"].shape == (2, 4, SLOTS, LENGTH)
    np.testing.assert_array_equal(inputs["descriptors"][0], descriptors[[0, 1, 2, 3]])
    np.testing.assert_array_equal(inputs["descriptors"][1], descriptors[[4, 5, 4, 5]])
    placed = normalise_keypoints(points, WIDTH, HEIGHT)
    np.testing.assert_array_equal(inputs["keypoints"][1], placed[[4, 5, 4, 5]])


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 20), batch=st.integers(1, 8))
def test_batches_hold_every_row_once_and_then_the_last_again(count: int, batch: int) -> None:
    rows = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    found = batched(rows, batch)
    assert found.shape == (-(-count // batch), batch, 2)
    flat = found.reshape(-1, 2)
    np.testing.assert_array_equal(flat[:count], rows)
    np.testing.assert_array_equal(flat[count:], np.repeat(rows[-1:], len(flat) - count, axis=0))
    names = grouped_names([str(index) for index in range(count)], batch)
    assert len(names) == len(found)
    assert "+".join(names).split("+") == [str(index) for index in range(count)]


@pytest.mark.parametrize(
    ("batch", "expected"), [(1, ("a", "b", "c")), (2, ("a+b", "c")), (3, ("a+b+c",)), (9, ("a+b+c",))]
)
def test_names_of_a_sample_are_joined(batch: int, expected: tuple[str, ...]) -> None:
    assert grouped_names(["a", "b", "c"], batch) == expected
