"""ALIKED, an extractor of keypoints and descriptors with deformable convolutions, as one graph from image to keypoints.

Zhao et al., "ALIKED: A Lighter Keypoint and Descriptor Extraction Network via Deformable Transformation", IEEE
Transactions on Instrumentation and Measurement 2023; models n16 and n32, which differ in the positions that a
descriptor is made from. The state dicts are the published ones. K keypoints leave the graph, and where an image has
fewer the rest of the slots are zero, marked by `valid`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract
from enginewright.contract.kinds import extractor_contract_of
from enginewright.errors import ConfigError
from networks import Adapter, network
from networks.parts.deformable import DeformableConv2d
from networks.parts.deformable_descriptor import DescriptorHead
from networks.parts.largest import best_side
from networks.parts.soft_detection import SoftDetector
from networks.parts.vectors import unit

LEVELS = (16, 32, 64, 128)
"""Channels of the four blocks, which see the image at 1, 1/2, 1/8 and 1/32 of its size."""

DESCRIPTOR = 128
STEP = 32
"""Pixels of the image to one of the coarsest level."""

POSITIONS = r"(?i)(?!n\d|.*(conv(?!ert)|selu|averagepool|avg_pool|resize|upsample|matmul)[^/]*$)"
"""The nodes that stay fp32 at every precision: all but convolutions, activations (the dynamo exporter's `n0`) and what
brings maps from size to size, by the names that both exporters give them. What is left computes positions, finds maxima
or samples at positions, and fp16 has steps of a quarter of a pixel in an image 1024 pixels wide."""

Convolution = Callable[[int, int], nn.Module]


def plain(channels: int, out: int, kernel: int = 3) -> nn.Conv2d:
    """Return a convolution without bias that keeps the size of its maps."""
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)


class Block(nn.Module):
    """Two convolutions, each normalised and activated; all blocks but the first add their input, brought to `out`."""

    def __init__(self, channels: int, out: int, convolution: Convolution, residual: bool = True) -> None:
        super().__init__()
        self.conv1, self.bn1 = convolution(channels, out), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = convolution(out, out), nn.BatchNorm2d(out)
        self.downsample = nn.Conv2d(channels, out, 1) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out, H, W) of `x` (B, channels, H, W)."""
        maps = self.bn2(self.conv2(F.selu(self.bn1(self.conv1(x)))))
        return F.selu(maps if self.downsample is None else maps + self.downsample(x))


def edged(image: Tensor, axis: int, size: int) -> tuple[Tensor, int]:
    """Return `image` with its edge repeated along `axis` up to a multiple of STEP, and how often before its start.

    By a gather at clamped positions: of the pads that exporters write for open sizes, builders cannot tell the shape.
    """
    added = (size + STEP - 1) // STEP * STEP - size
    before = added // 2
    source = (torch.arange(size + added, device=image.device) - before).clamp(0, size - 1)
    return image.index_select(axis, source), before


class Aliked(nn.Module):
    """ALIKED with its detector: image to K keypoints.

    Args:
        detect: the detector, which says how many slots each image has.
        samples: M, positions that a descriptor is made from.
        padded: bring images to a multiple of 32 inside, as the original does; else they must have such a size.
    """

    def __init__(self, detect: SoftDetector, samples: int, *, padded: bool = False) -> None:
        super().__init__()
        self.detect, self.padded = detect, padded
        self.block1 = Block(3, LEVELS[0], plain, residual=False)
        self.block2 = Block(*LEVELS[:2], plain)
        self.block3 = Block(*LEVELS[1:3], DeformableConv2d)
        self.block4 = Block(*LEVELS[2:], DeformableConv2d)
        self.conv1, self.conv2, self.conv3, self.conv4 = (plain(c, DESCRIPTOR // 4, 1) for c in LEVELS)
        self.score_head = nn.Sequential(
            plain(DESCRIPTOR, 8, 1), nn.SELU(), plain(8, 4), nn.SELU(), plain(4, 4), nn.SELU(), plain(4, 1)
        )
        self.desc_head = DescriptorHead(DESCRIPTOR, samples)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return keypoints (B, K, 2) x y in pixels, scores (B, K), descriptors (B, K, 128), valid (B, K) int32 0 or 1.

        `image` is (B, 3, H, W) in 0..1. A slot that is not valid is zero throughout.
        """
        features, scores = self.maps(image)
        height, width = image.shape[-2:]
        found = self.detect(scores)
        # Two ways back to pixels, as the original has them: the kernel's corner is a floor, which sees the last digit.
        around = (found.x / 2 + 0.5) * (width - 1), (found.y / 2 + 0.5) * (height - 1)
        points = torch.stack(((width - 1) * (found.x + 1) / 2, (height - 1) * (found.y + 1) / 2), dim=-1)
        slots = found.valid.unsqueeze(-1)
        return (
            torch.where(slots, points, 0.0),
            torch.where(found.valid, found.scores, 0.0),
            torch.where(slots, self.desc_head(features, *around), 0.0),
            found.valid.to(torch.int32),
        )

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit features (B, 128, H, W) and scores (B, 1, H, W) in 0..1 of `image` (B, 3, H, W)."""
        if not self.padded:
            maps = self._aggregated(image)
            return unit(maps, dim=1), torch.sigmoid(self.score_head(maps))
        height, width = image.shape[-2:]
        tall, top = edged(image, 2, height)
        whole, left = edged(tall, 3, width)
        maps = self._aggregated(whole)
        scores = torch.sigmoid(self.score_head(maps))[..., top : top + height, left : left + width]
        return unit(maps[..., top : top + height, left : left + width], dim=1), scores

    def _aggregated(self, image: Tensor) -> Tensor:
        """Return the four levels, each brought to 32 channels and the image's size, beside each other."""
        first = self.block1(image)
        second = self.block2(F.avg_pool2d(first, 2))
        third = self.block3(F.avg_pool2d(second, 4))
        fourth = self.block4(F.avg_pool2d(third, 4))
        levels = self.conv1(first), self.conv2(second), self.conv3(third), self.conv4(fourth)
        finest, *coarse = (F.selu(level) for level in levels)
        size = image.shape[-2:]
        resized = (F.interpolate(maps, size=size, mode="bilinear", align_corners=True) for maps in coarse)
        return torch.cat((finest, *resized), dim=1)


def samples_of(model: ExtractorModel) -> int:
    """Return M from `model.options`.

    Raises:
        ConfigError: if `samples` is missing or no whole number of 1 to 256, or another option is set.
    """
    samples = model.options.get("samples")
    if set(model.options) != {"samples"} or type(samples) is not int or not 1 <= samples <= 256:
        raise ConfigError(
            "model.options do not fit ALIKED",
            expected="samples, 1 to 256: positions that a descriptor is made from",
            got=dict(model.options),
            cure="model.options: {samples: 16} for n16, {samples: 32} for n32",
        )
    return samples


@network("aliked")
class AlikedAdapter(Adapter[ExtractorModel]):
    """ALIKED for Enginewright."""

    def module(self, model: ExtractorModel) -> nn.Module:
        """Return ALIKED with its detector."""
        radius = model.window // 2
        detect = SoftDetector(model.keypoints, radius, model.threshold, best_side(model, border=radius))
        return Aliked(detect, samples_of(model), padded=model.multiple % STEP != 0)

    def contract(self, model: ExtractorModel) -> Contract:
        """Return the extractor's contract."""
        samples_of(model)
        return extractor_contract_of(model, DESCRIPTOR, fp32_nodes=(POSITIONS,))
