"""The K largest values of a map and where they are, in two steps: among blocks, then among the pixels of K blocks.

Runtimes can be slow to choose K of a whole map: ONNX Runtime's CUDA provider gives it to one block of threads, which
took nearly half the time of an extractor at 512 x 512. The K largest values lie in the K blocks whose largest
values are the largest: a value in another block is preceded by K blocks that each hold one no smaller. So the second
choice is exact, in any map; only which of several equal values at the cut are taken may differ.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from enginewright.config.models import ExtractorModel


class Largest(NamedTuple):
    """K values of each map, the largest first: `values` (B, K), and where they are: `x`, `y` (B, K) int64."""

    values: Tensor
    x: Tensor
    y: Tensor


def best_side(model: ExtractorModel, border: int, step: int = 1) -> int:
    """Return the side of the blocks with which an extractor has the least to choose from; 1 where that is one step.

    A keypoint's place is one of each `step` x `step` pixels that are `border` or more away from every edge. With open
    axes the smallest image of the profile counts, so that there are always K blocks. Of N places, N / side^2 blocks
    and K * side^2 pixels are chosen from: least where side^4 is N / K.
    """
    sizes = (
        min(size, *model.ranges.get(axis, [size])) for axis, size in (("height", model.height), ("width", model.width))
    )
    rows, columns = ((size - 2 * border) // step for size in sizes)
    return max(1, round(math.sqrt(math.sqrt(rows * columns / model.keypoints))))


def largest(maps: Tensor, count: int, side: int, below: float) -> Largest:
    """Return the `count` largest values of `maps` (B, 1, H, W).

    Args:
        side: of the blocks; 1 chooses in one step. There must be `count` blocks.
        below: a number that is smaller than every value.
    """
    if side == 1:
        values, places = maps.flatten(1).topk(count)
        return Largest(values, *_divided(places, maps.shape[-1]))
    whole = _widened(_widened(maps, 3, side - 1, below), 2, side - 1, below)  # so that the last blocks are whole
    blocks = F.max_pool2d(whole, side)
    column, row = _divided(blocks.flatten(1).topk(count)[1], blocks.shape[-1])
    width = whole.shape[-1]
    steps = torch.arange(side, device=maps.device)
    inside = (steps.unsqueeze(1) * width + steps).flatten()
    places = ((row * width + column) * side).unsqueeze(-1) + inside
    values, found = whole.flatten(1).gather(1, places.flatten(1)).topk(count)
    return Largest(values, *_divided(places.flatten(1).gather(1, found), width))


def _widened(maps: Tensor, axis: int, by: int, value: float) -> Tensor:
    """Return maps with `by` rows or columns of one value after the last: some graphs do not tell a pad's shape."""
    shape = list(maps.shape)
    shape[axis] = by
    return torch.cat((maps, maps.new_full(shape, value)), dim=axis)


def _divided(places: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return x and y of flat places. In int64, which no change of precision touches."""
    rows = places // width
    return places - rows * width, rows
