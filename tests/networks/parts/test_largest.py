"""The choice in two steps, against the choice in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from networks.parts.largest import Largest, best_side, largest

SIDES = (1, 2, 3, 4, 5)


def scattered(batch: int, height: int, width: int, seed: int, levels: int) -> Tensor:
    """Return maps (B, 1, H, W) of values 0 to `levels` - 1, so that the fewer levels there are, the more are equal."""
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, levels, (batch, 1, height, width), generator=random).float()


@settings(max_examples=200, deadline=None)
@given(
    size=st.tuples(st.integers(5, 23), st.integers(5, 23)),
    side=st.sampled_from(SIDES),
    seed=st.integers(0, 1000),
    levels=st.sampled_from([1, 3, 50, 1_000_000]),
    share=st.floats(0, 1),
)
def test_two_steps_find_what_one_finds_ties_included(
    size: tuple[int, int], side: int, seed: int, levels: int, share: float
) -> None:
    maps = scattered(2, *size, seed, levels)
    blocks = -(-size[0] // side) * -(-size[1] // side)
    count = max(1, round(share * blocks))
    found = largest(maps, count, side, below=-1.0)
    torch.testing.assert_close(found.values, maps.flatten(1).topk(count)[0], atol=0, rtol=0)
    for image, values, x, y in zip(maps[:, 0], *found, strict=True):
        assert torch.equal(image[y, x], values), "inside the map, and what was said to be there"
        assert len(set(zip(x.tolist(), y.tolist(), strict=True))) == count, "no place twice"


@pytest.mark.parametrize("side", SIDES)
def test_where_all_values_differ_places_are_the_same(side: int) -> None:
    maps = torch.randperm(37 * 53, generator=torch.Generator().manual_seed(1)).reshape(1, 1, 37, 53).float()
    expected, found = largest(maps, 60, 1, -1.0), largest(maps, 60, side, -1.0)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert found.x.dtype is found.y.dtype is torch.int64


@pytest.mark.parametrize("side", [2, 4])
def test_a_value_below_zero_is_found_in_the_last_rows_too(side: int) -> None:
    maps = torch.full((1, 1, 9, 13), -5.0)
    maps[0, 0, 8, 12] = -4.0
    found = largest(maps, 3, side, below=-10.0)
    assert [float(one[0, 0]) for one in found] == [-4.0, 12, 8]
    assert (found.values[0, 1:] == -5).all()


class _Choose(nn.Module):
    def forward(self, maps: Tensor) -> Largest:
        return largest(maps, 40, 3, -1.0)


@pytest.mark.parametrize("dynamo", [False, True])
def test_a_graph_with_open_axes_finds_the_same_at_every_size(dynamo: bool, tmp_path: Path) -> None:
    path = tmp_path / "choose.onnx"
    axes = {0: "batch", 2: "height", 3: "width"}
    open_axes = (
        {"dynamic_shapes": (dict.fromkeys(axes, torch.export.Dim.AUTO),)}
        if dynamo
        else {"dynamic_axes": {"maps": axes}}
    )
    torch.onnx.export(
        _Choose().eval(),
        (scattered(2, 30, 40, 0, 10**6),),
        path,
        input_names=["maps"],
        opset_version=18,
        dynamo=dynamo,
        **open_axes,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for height, width in ((30, 40), (31, 44), (64, 35)):
        maps = scattered(2, height, width, height, 10**6)
        expected = largest(maps, 40, 1, -1.0)
        for got, wanted in zip(session.run(None, {"maps": maps.numpy()}), expected, strict=True):
            np.testing.assert_array_equal(got, wanted.numpy())
    assert {"If", "Loop", "NonZero", "ScatterND"}.isdisjoint(node.op_type for node in onnx.load(path).graph.node)


def model(height: int, width: int, keypoints: int, ranges: dict[str, list[int]] | None = None) -> ExtractorModel:
    return ExtractorModel("disk", height=height, width=width, keypoints=keypoints, ranges=ranges or {})


@pytest.mark.parametrize(
    ("size", "keypoints", "side"),
    [((512, 512), 1024, 4), ((512, 512), 2048, 3), ((64, 64), 3600, 1), ((64, 64), 8, 5), ((9, 9), 1, 2)],
)
def test_blocks_leave_the_least_to_choose_from(size: tuple[int, int], keypoints: int, side: int) -> None:
    places = (size[0] - 4) * (size[1] - 4)
    assert best_side(model(*size, keypoints), border=2) == side
    cost = {one: places / one**2 + keypoints * one**2 * (one > 1) for one in range(1, 12)}
    assert cost[side] <= 1.1 * min(cost.values())


def test_the_smallest_image_of_the_ranges_counts() -> None:
    ranges = {"height": [64, 512], "width": [128, 512]}
    assert best_side(model(512, 512, 1024, ranges), border=2) == 2
    assert best_side(model(512, 512, 1024, {"height": [512, 1024]}), border=2) == 4


@settings(max_examples=100, deadline=None)
@given(height=st.integers(1, 80), width=st.integers(1, 80), share=st.floats(0, 1), step=st.sampled_from([1, 8]))
def test_there_are_always_as_many_blocks_as_keypoints(height: int, width: int, share: float, step: int) -> None:
    places = (height * step) // step * ((width * step) // step)
    sizes = model(512, 512, max(1, round(share * min(places, 3840))))
    object.__setattr__(sizes, "height", height * step)
    object.__setattr__(sizes, "width", width * step)
    side = best_side(sizes, border=0, step=step)
    assert -(-height // side) * -(-width // side) >= sizes.keypoints
