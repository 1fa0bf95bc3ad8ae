from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from enginewright.config.choices import MatcherOutput
from tests.networks.tiny_lightglue import random_inputs, small_lightglue


def padded(kept: Tensor, slots: Tensor, count: int) -> Tensor:
    """Return (count, ...) zeros with the rows of `kept` at `slots`."""
    whole = torch.zeros(count, *kept.shape[1:])
    whole[slots] = kept
    return whole


def scattered(sides: tuple[Tensor, Tensor], slots: list[Tensor], count: int) -> Tensor:
    """Return (2, count, ...) with the rows of each side at its slots."""
    return torch.stack([padded(side, where, count) for side, where in zip(sides, slots, strict=True)])


@settings(max_examples=40, deadline=None)
@given(counts=st.tuples(st.integers(0, 9), st.integers(0, 9)), seed=st.integers(0, 10_000))
def test_padding_anywhere_changes_nothing_for_the_rest(counts: tuple[int, int], seed: int) -> None:
    """As many slots as the fuller image needs, in order, against ten slots with the keypoints strewn over them.

    Where both images are equally full the first has no padding, and runs without masks.
    """
    keypoints, descriptors = random_inputs(1, 10, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    slots = [torch.randperm(10, generator=generator)[:count].sort().values for count in counts]
    dense = [torch.arange(count) for count in counts]
    sides = [tuple(each[n, : counts[n]] for n in range(2)) for each in (keypoints, descriptors)]
    fewest = max(1, *counts)
    module = small_lightglue(filter_threshold=0.0)
    plain = small_lightglue(filter_threshold=0.0, mask_padding=counts[0] != counts[1] or counts[0] == 0)
    with torch.inference_mode():
        matches, confidences = module(*(scattered((a, b), slots, 10) for a, b in sides))
        few, few_confidences = plain(*(scattered((a, b), dense, fewest) for a, b in sides))
    expected = torch.full((10,), -1, dtype=torch.int32)
    for i, j in enumerate(few[0, : counts[0]].tolist()):
        expected[slots[0][i]] = slots[1][j] if j >= 0 else -1
    assert torch.equal(matches[0], expected)
    expected_confidences = padded(few_confidences[0, : counts[0]], slots[0], 10)
    torch.testing.assert_close(confidences[0], expected_confidences, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("empty", [(0,), (1,), (0, 1)])
def test_an_image_without_keypoints_matches_nothing(empty: tuple[int, ...]) -> None:
    keypoints, descriptors = random_inputs(1, 6)
    descriptors[list(empty)] = 0.0
    with torch.inference_mode():
        matches, confidences = small_lightglue(filter_threshold=0.0)(keypoints, descriptors)
        (scores,) = small_lightglue(output=MatcherOutput.scores)(keypoints, descriptors)
    assert (matches == -1).all()
    assert not confidences.any()
    assert torch.isfinite(scores).all()
    assert (scores < -5000).all()


def test_masks_change_nothing_where_there_is_no_padding() -> None:
    inputs = random_inputs(2, 12)
    with torch.inference_mode():
        (masked,) = small_lightglue(output=MatcherOutput.scores)(*inputs)
        (plain,) = small_lightglue(output=MatcherOutput.scores, mask_padding=False)(*inputs)
    assert torch.equal(masked, plain)


def test_without_masks_padding_does_disturb() -> None:
    """So that the tests above are about something."""
    keypoints, descriptors = random_inputs(1, 12)
    descriptors[:, 8:] = 0.0
    with torch.inference_mode():
        (masked,) = small_lightglue(output=MatcherOutput.scores)(keypoints, descriptors)
        (plain,) = small_lightglue(output=MatcherOutput.scores, mask_padding=False)(keypoints, descriptors)
    assert (masked[:, :8, :8] - plain[:, :8, :8]).abs().max() > 0.01
