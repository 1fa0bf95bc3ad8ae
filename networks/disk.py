"""DISK, an extractor of keypoints and descriptors, as one graph from image to keypoints.

Tyszkiewicz, Fua, Trulls, "DISK: Learning local features with policy gradient", NeurIPS 2020. The state dict is the one
published under the key `extractor`. Everything after the U-Net has fixed shapes: K keypoints leave the graph, and where
an image has fewer the rest of the slots are zero, marked by `valid`.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract
from enginewright.contract.kinds import extractor_contract_of
from networks import Adapter, network
from networks.parts.largest import best_side, largest
from networks.parts.vectors import unit

DESCRIPTOR = 128
"""Channels of a descriptor; the U-Net's last channel, after these, is the score map."""

DOWN = (16, 32, 64, 64, 64)
UP = (64, 64, 64, DESCRIPTOR + 1)
KERNEL = 5

SQUARES = r"(?i).*(/mul|node_mul|sum|sqrt)"
"""The nodes that find the lengths of descriptors, by the names of both exporters: they stay fp32 at every precision."""


class UNet(nn.Module):
    """Image (B, 3, H, W) to maps (B, 129, H, W): 128 of descriptor, one of score. H, W: multiples of 16.

    No convolution adds its bias. What most add would be taken out again by the normalisation that their maps go
    through, be they halved, doubled or kept in between: adding it costs digits and changes nothing else. What the last
    one adds is left to those who read its maps, as they need the scores and K descriptors only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.path_down = nn.ModuleList(
            _down(channels, out, first=level == 0) for level, (channels, out) in enumerate(pairwise((3, *DOWN)))
        )
        coarse, kept = (DOWN[-1], *UP[:-1]), DOWN[-2::-1]
        self.path_up = nn.ModuleList(_Up(a + b, out) for a, b, out in zip(coarse, kept, UP, strict=True))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps, and the bias (129) to add to them.

        Go down, keep each level, and come up through the kept levels from the coarsest.
        """
        levels = [image]
        for down in self.path_down:
            levels.append(down(levels[-1]))
        maps = levels.pop()
        for up in self.path_up:
            maps = up(maps, levels.pop())
        return maps, self.last_bias

    @property
    def last_bias(self) -> Tensor:
        """The last convolution's bias."""
        return self.path_up[-1].get_parameter("conv.3.bias")


class _Up(nn.Module):
    """Double the coarse maps, put the kept level beside them and convolve both."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = _convolution(channels, out)

    def forward(self, coarse: Tensor, kept: Tensor) -> Tensor:
        fine = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        maps: Tensor = self.conv(torch.cat((fine, kept), dim=1))
        return maps


def _down(channels: int, out: int, first: bool) -> nn.Sequential:
    """Halve the maps and convolve them; the first level sees the image as it is."""
    if first:
        return nn.Sequential(nn.Identity(), _convolution(channels, out, gated=False))
    return nn.Sequential(nn.AvgPool2d(2), _convolution(channels, out))


def _convolution(channels: int, out: int, gated: bool = True) -> nn.Sequential:
    """Normalise, gate, convolve. Slots 0 to 3 are the published names; slot 2 was a dropout that is not used."""
    before = [nn.InstanceNorm2d(channels), nn.PReLU(channels)] if gated else [nn.Identity(), nn.Identity()]
    return nn.Sequential(*before, nn.Identity(), _Unbiased(channels, out, KERNEL, padding=KERNEL // 2))


class _Unbiased(nn.Conv2d):
    """A convolution that has a bias and does not add it."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the products' sums alone."""
        return F.conv2d(x, self.weight, padding=self.padding)


def strict_maxima(scores: Tensor, window: int, threshold: float) -> Tensor:
    """Keep the scores that exceed `threshold` and every other score of the window around them; others: `threshold`.

    Ties are never maxima, nor are positions whose window leaves the map.

    Args:
        scores: (B, 1, H, W).
        window: side of the window in pixels, odd, at least 3.
        threshold: what a kept score must exceed; it doubles as the mark of what was not kept.

    Returns:
        (B, 1, H - window + 1, W - window + 1): position (0, 0) is (window // 2, window // 2) of `scores`.
    """
    side = window // 2
    rows = F.max_pool2d(scores, (1, window), stride=1)
    slabs = F.max_pool2d(rows, (side, 1), stride=1)
    centre = scores[..., side:-side, :]
    runs = F.max_pool2d(centre, (1, side), stride=1)
    # The slab that starts `side` rows above a centre ends just above it; the next starts just below. So for runs.
    above_below = torch.maximum(slabs[..., : -side - 1, :], slabs[..., side + 1 :, :])
    left_right = torch.maximum(runs[..., : -side - 1], runs[..., side + 1 :])
    others = torch.maximum(above_below, left_right).clamp_min(threshold)
    inner = centre[..., side:-side]
    return torch.where(inner > others, inner, threshold)


class Disk(nn.Module):
    """DISK with its detector: image to K keypoints, the strongest first.

    Args:
        keypoints: K, how many slots each image has.
        window: side of the suppression window in pixels, odd.
        threshold: what a score must exceed.
        side: of the blocks among which keypoints are chosen first, see `largest`.
    """

    def __init__(self, keypoints: int, window: int = 5, threshold: float = 0.0, side: int = 1) -> None:
        super().__init__()
        self.keypoints, self.window, self.threshold, self.side = keypoints, window, threshold, side
        self.unet = UNet()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return keypoints (B, K, 2) x y in pixels, scores (B, K), descriptors (B, K, 128), valid (B, K) int32 0 or 1.

        `image` is (B, 3, H, W) in 0..1. A slot that is not valid is zero throughout.
        """
        maps, bias = self.unet(image)
        maxima = strict_maxima(maps[:, DESCRIPTOR:] + bias[DESCRIPTOR:], self.window, self.threshold)
        scores, column, row = largest(maxima, self.keypoints, self.side, below=-1 - 2 * abs(self.threshold))
        valid = scores > self.threshold
        x, y = column + self.window // 2, row + self.window // 2
        points = torch.where(valid.unsqueeze(-1), torch.stack((x, y), dim=-1), 0)
        descriptors = sample(maps, bias, y * maps.shape[-1] + x)
        return (
            points.to(image.dtype),
            torch.where(valid, scores, 0.0),
            torch.where(valid.unsqueeze(-1), descriptors, 0.0),
            valid.to(torch.int32),
        )


def sample(maps: Tensor, bias: Tensor, pixels: Tensor) -> Tensor:
    """Return the unit descriptors (B, K, 128) of `maps` (B, 129, H, W) at flat `pixels` (B, K), each y * W + x.

    `bias` (129) is what is to be added to the maps.

    All channels are gathered and the score's dropped afterwards, since the other order copies the whole map.
    """
    batch, channels, height, width = maps.shape
    index = pixels.unsqueeze(1).expand(batch, channels, pixels.shape[1])
    found = maps.reshape(batch, channels, height * width).gather(2, index)[:, :DESCRIPTOR].transpose(1, 2)
    return unit(found + bias[:DESCRIPTOR], dim=-1)


@network("disk")
class DiskAdapter(Adapter[ExtractorModel]):
    """DISK for Enginewright."""

    def module(self, model: ExtractorModel) -> nn.Module:
        """Return DISK with its detector."""
        side = best_side(model, border=model.window // 2)
        return Disk(model.keypoints, model.window, model.threshold, side)

    def contract(self, model: ExtractorModel) -> Contract:
        """Return the extractor's contract."""
        return extractor_contract_of(model, DESCRIPTOR, fp32_nodes=(SQUARES,))
