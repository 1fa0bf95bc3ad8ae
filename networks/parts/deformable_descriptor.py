"""The sparse deformable descriptor head: features from positions around a keypoint that the network chooses.

Zhao et al., "ALIKED: A Lighter Keypoint and Descriptor Extraction Network via Deformable Transformation", IEEE
Transactions on Instrumentation and Measurement 2023, section III-B.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from networks.parts.deformable import KERNEL, limited, sample_at
from networks.parts.vectors import unit


class DescriptorHead(nn.Module):
    """Describe keypoints from `samples` positions around each.

    Args:
        channels: of the maps, and of the descriptors.
        samples: M, positions for each keypoint.
    """

    def __init__(self, channels: int, samples: int) -> None:
        super().__init__()
        self.offset_conv = nn.Sequential(
            nn.Conv2d(channels, 2 * samples, KERNEL, stride=KERNEL), nn.SELU(), nn.Conv2d(2 * samples, 2 * samples, 1)
        )
        self.sf_conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.agg_weights = nn.Parameter(torch.rand(samples, channels, channels))

    def forward(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return unit descriptors (B, K, C) of `maps` (B, C, H, W) at `x`, `y` (B, K) in pixels."""
        right, down = self._offsets(maps, x, y)
        features = sample_at(maps, x.unsqueeze(-1) + right, y.unsqueeze(-1) + down)
        mixed = F.selu(self.sf_conv(features)).permute(0, 2, 3, 1).flatten(2)
        return unit(mixed @ self.agg_weights.flatten(0, 1), dim=-1)

    def _offsets(self, maps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ways from each keypoint to its positions, x and y (B, K, M), from the 3 x 3 pixels around it.

        The kernels of all keypoints lie below each other in one map, and the convolution steps from one to the next.
        """
        height, width = maps.shape[-2:]
        kernel = torch.arange(KERNEL, device=maps.device, dtype=maps.dtype)
        columns = (_corner(x, width).unsqueeze(-1) + kernel).unsqueeze(-2).repeat(1, 1, KERNEL, 1)
        rows = (_corner(y, height).unsqueeze(-1) + kernel).unsqueeze(-1).repeat(1, 1, 1, KERNEL)
        patches = sample_at(maps, columns.flatten(1, 2), rows.flatten(1, 2), mode="nearest")
        offsets = limited(self.offset_conv(patches), maps).flatten(2).transpose(1, 2)
        right, down = offsets.reshape(*x.shape, 2, -1).unbind(-2)
        return right, down


def _corner(position: Tensor, size: int) -> Tensor:
    """Return the first pixel of the kernel around a position. Like the original's, it spares the last pixel."""
    return (torch.floor(position) - 1).clamp(0, size - 1 - KERNEL)
