"""Sampling of maps at positions that the network itself computes: in GridSample, which every builder knows.

Dai et al., "Deformable Convolutional Networks", ICCV 2017. Its own ONNX operator, DeformConv, blocks TensorRT; the same
values come from one GridSample that lays the samples of each kernel side by side, and one convolution that steps from
kernel to kernel over them, with the published weight as it is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

KERNEL = 3


def limited(offsets: Tensor, maps: Tensor) -> Tensor:
    """Return `offsets` in pixels, each at most a quarter of the longer side of `maps` (B, C, H, W) either way."""
    height, width = maps.shape[-2:]
    if isinstance(height, Tensor):  # the tracing exporter gives sizes as tensors, and a plain max would fix open ones
        longer = torch.maximum(height, torch.as_tensor(width))
    else:
        longer = torch.sym_max(height, width)  # type: ignore[no-untyped-call]
    return offsets.clamp(-longer / 4, longer / 4)


def sample_at(maps: Tensor, x: Tensor, y: Tensor, mode: str = "bilinear") -> Tensor:
    """Return (B, C, *positions) of `maps` (B, C, H, W) at positions `x`, `y` (B, N, M) in pixels; outside maps: 0.

    Positions are spread over pixel areas (`align_corners` false), the one form that can address maps of one pixel.
    """
    height, width = maps.shape[-2:]
    grid = torch.stack(((x * 2 + 1) / width - 1, (y * 2 + 1) / height - 1), dim=-1)
    return F.grid_sample(maps, grid, mode=mode, padding_mode="zeros", align_corners=False)


def taps(count: int, first: int, like: Tensor) -> Tensor:
    """Return (KERNEL * count,): for each of `count` neighbouring pixels, the kernel's pixels from `first` on."""
    centres = torch.arange(count, device=like.device, dtype=like.dtype)
    kernel = torch.arange(first, first + KERNEL, device=like.device, dtype=like.dtype)
    return (centres.unsqueeze(1) + kernel).flatten()


class DeformableConv2d(nn.Module):
    """A 3 x 3 convolution, padded, whose nine samples at each pixel are moved by offsets that a convolution gives."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.offset_conv = nn.Conv2d(channels, 2 * KERNEL**2, KERNEL, padding=1)
        self.regular_conv = nn.Conv2d(channels, out, KERNEL, stride=KERNEL, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out, H, W) of `x` (B, channels, H, W). An offset is at most a quarter of the longer side."""
        height, width = x.shape[-2:]
        offsets = limited(self.offset_conv(x), x)
        # Channels are (row of the kernel, column of it, y or x); samples lie as pixels of a map three times as large.
        laid = offsets.reshape(-1, KERNEL, KERNEL, 2, height, width).permute(3, 0, 4, 1, 5, 2)
        down, right = laid.reshape(2, -1, KERNEL * height, KERNEL * width).unbind()
        rows, columns = taps(height, -1, x), taps(width, -1, x)
        sampled = sample_at(x, right + columns, down + rows.unsqueeze(1))
        found: Tensor = self.regular_conv(sampled)
        return found
