"""From maps of one place for each 8 x 8 cell of an image to K keypoints: what SuperPoint and its relatives end in.

DeTone, Malisiewicz, Rabinovich, "SuperPoint: Self-Supervised Interest Point Detection and Description", CVPR workshops
2018. Pixels and cells are counted in int64 to the end, which no change of precision touches: fp16 holds no odd number
above 2048, and a descriptor sampled one pixel off is another one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from networks.parts.cell_sizes import CELL
from networks.parts.largest import largest

BORDER = 4
"""Pixels along each edge of the image that hold no keypoint."""

Ratio = tuple[Tensor, int]
"""A position in cells, exactly: numerators (B, K) int64, and the denominator of all."""


class Slots(NamedTuple):
    """K places of each image, the strongest first: `x`, `y` (B, K) int64 and `scores` (B, K).

    valid: (B, K) bool. What a slot that is not valid holds has no meaning, but it lies inside the map.
    """

    x: Tensor
    y: Tensor
    scores: Tensor
    valid: Tensor


def cell_scores(logits: Tensor) -> Tensor:
    """Return the probability of each pixel of a cell (B, 64, h, w) of logits (B, 65, h, w), the last being "none"."""
    return torch.softmax(logits, dim=1)[:, :-1]


def pixel_scores(logits: Tensor) -> Tensor:
    """Return the probabilities of `cell_scores` where their pixels are: (B, 1, 8h, 8w)."""
    return F.pixel_shuffle(cell_scores(logits), CELL)


def strongest(scores: Tensor, count: int, threshold: float, border: int = BORDER, side: int = 1) -> Slots:
    """Return the `count` largest of `scores` (B, 1, H, W), those within `border` of an edge left out.

    Valid are those that exceed `threshold`, which is 0 or more. `side` is that of the blocks among which they are
    chosen first, see `largest`.
    """
    inner = scores[..., border:-border, border:-border] if border else scores
    found, x, y = largest(inner, count, side, below=-1.0)
    return Slots(x + border, y + border, found, found > threshold)


def pick(maps: Tensor, cells: Tensor) -> Tensor:
    """Return (B, C, N): what `maps` (B, C, h, w) hold in flat `cells` (B, N), each row * w + column."""
    batch, channels = maps.shape[:2]
    return maps.flatten(2).gather(2, cells.unsqueeze(1).expand(batch, channels, cells.shape[1]))


def interpolate(maps: Tensor, columns: Ratio, rows: Ratio) -> Tensor:
    """Return (B, C, K): `maps` (B, C, h, w) between the four cells around each position, bilinearly.

    Positions lie between the first and the last cell, and before the last.
    """
    left, right_share = _divided(columns, maps.dtype)
    top, lower_share = _divided(rows, maps.dtype)
    width = maps.shape[-1]
    corner = top * width + left
    corners = torch.cat((corner, corner + 1, corner + width, corner + width + 1), dim=1)
    left_share, upper_share = 1 - right_share, 1 - lower_share
    shares = (left_share * upper_share, right_share * upper_share, left_share * lower_share, right_share * lower_share)
    found = pick(maps, corners).reshape(*maps.shape[:2], 4, corner.shape[1])
    return (found * torch.stack(shares, dim=1).unsqueeze(1)).sum(dim=2)


def _divided(position: Ratio, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the cell before a position (B, K) int64, and the share of the next one (B, K), 0 to 1."""
    numerators, denominator = position
    whole = numerators // denominator
    return whole, (numerators - whole * denominator).to(dtype) / denominator


def as_outputs(slots: Slots, descriptors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return keypoints (B, K, 2) x y, scores (B, K), descriptors (B, K, C) and valid (B, K) int32 0 or 1.

    `descriptors` (B, K, C) give the type of the keypoints. A slot that is not valid is zero throughout.
    """
    kept = slots.valid.unsqueeze(-1)
    points = torch.where(kept, torch.stack((slots.x, slots.y), dim=-1), 0)
    return (
        points.to(descriptors.dtype),
        torch.where(slots.valid, slots.scores, 0.0),
        torch.where(kept, descriptors, 0.0),
        slots.valid.to(torch.int32),
    )
