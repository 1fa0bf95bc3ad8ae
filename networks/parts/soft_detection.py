"""Differentiable keypoint detection: local maxima of a score map, moved to where the scores around them weigh.

Zhao et al., "ALIKE: Accurate and Lightweight Keypoint Detection and Descriptor Extraction", IEEE Transactions on
Multimedia 2022. Written with fixed shapes: K slots for each image, and a mark for those that hold a keypoint.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from networks.parts.largest import largest

TEMPERATURE = 0.1
"""Of the softmax that weighs the scores around a maximum."""


class Keypoints(NamedTuple):
    """K keypoints of each image: `x`, `y` (B, K) in -1..1 from the first pixel to the last, `scores` (B, K).

    valid: (B, K) bool. What a slot that is not valid holds has no meaning.
    """

    x: Tensor
    y: Tensor
    scores: Tensor
    valid: Tensor


def local_maxima(scores: Tensor, radius: int) -> Tensor:
    """Return `scores` (B, 1, H, W) where they are the largest up to `radius` pixels away, else 0.

    Equal neighbours are maxima both. Twice, what a maximum suppresses is taken out and maxima are sought in the rest.
    """
    found = scores == _largest(scores, radius)
    for _ in range(2):
        suppressed = _largest(found.to(scores.dtype), radius) > 0
        rest = torch.where(suppressed, 0.0, scores)
        found = found | ((rest == _largest(rest, radius)) & ~suppressed)
    return torch.where(found, scores, 0.0)


def _largest(maps: Tensor, radius: int) -> Tensor:
    """Return the largest value up to `radius` away of each position: of its row, then of its column of those."""
    side = 2 * radius + 1
    of_rows = F.max_pool2d(maps, (1, side), stride=1, padding=(0, radius))
    return F.max_pool2d(of_rows, (side, 1), stride=1, padding=(radius, 0))


class SoftDetector:
    """The detector of one configuration.

    Args:
        keypoints: K.
        radius: of the suppression and of the refinement, in pixels.
        threshold: what a keypoint's score must exceed. An image in which none does is given its mean score as
            threshold instead. At 0 or less, all maxima count.
        side: of the blocks among which keypoints are chosen first, see `largest`.
    """

    def __init__(self, keypoints: int, radius: int = 2, threshold: float = 0.2, side: int = 1) -> None:
        self.keypoints, self.radius, self.threshold, self.side = keypoints, radius, threshold, side

    def __call__(self, scores: Tensor) -> Keypoints:
        """Return the K strongest maxima of `scores` (B, 1, H, W) in 0..1, the strongest first, refined.

        A keypoint's score is that of the refined position, so that neighbours in the order may have changed places.
        """
        height, width = scores.shape[-2:]
        peaks, x, y = self._strongest(scores)
        patches = self._patches(scores, x, y)
        right, down, refined = refine(patches)
        return Keypoints(
            (x + right) / (width - 1) * 2 - 1,
            (y + down) / (height - 1) * 2 - 1,
            refined,
            peaks > self._least(scores, peaks),
        )

    def _strongest(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return score, x and y (B, K) of the strongest maxima that are `radius` or more away from the border."""
        border = self.radius
        inner = local_maxima(scores, border)[..., border:-border, border:-border]
        peaks, x, y = largest(inner, self.keypoints, self.side, below=-1.0)
        return peaks, x + border, y + border

    def _least(self, scores: Tensor, peaks: Tensor) -> float | Tensor:
        """Return what a score must exceed, a number or (B, 1)."""
        if self.threshold <= 0:
            return 0.0
        return torch.where(peaks[:, :1] > self.threshold, self.threshold, scores.flatten(1).mean(1, keepdim=True))

    def _patches(self, scores: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return (B, K, S, S): the scores around pixels, S being 2 * radius + 1."""
        width = scores.shape[-1]
        steps = torch.arange(-self.radius, self.radius + 1, device=scores.device)
        around = (steps.unsqueeze(1) * width + steps).flatten()
        pixels = (y * width + x).unsqueeze(-1) + around
        found = scores.flatten(1).gather(1, pixels.flatten(1))
        return found.reshape(-1, self.keypoints, len(steps), len(steps))


def refine(patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the way from each patch's centre to its soft maximum, x and y (B, K) in pixels, and the score there.

    `patches` is (B, K, S, S). The score is interpolated from the patch, which the soft maximum cannot leave.
    """
    radius = patches.shape[-1] // 2
    steps = torch.arange(-radius, radius + 1, device=patches.device, dtype=patches.dtype)
    weights = torch.softmax(patches.flatten(2) / TEMPERATURE, dim=-1).reshape(patches.shape)
    right = (weights.sum(-2) * steps).sum(-1)
    down = (weights.sum(-1) * steps).sum(-1)
    columns, rows = ((1 - (steps - way.unsqueeze(-1)).abs()).clamp_min(0) for way in (right, down))
    return right, down, ((patches * rows.unsqueeze(-1)).sum(-2) * columns).sum(-1)
