"""SuperPoint, an extractor of keypoints and descriptors, as one graph from image to keypoints.

DeTone, Malisiewicz, Rabinovich, "SuperPoint: Self-Supervised Interest Point Detection and Description", CVPR workshops
2018. The state dict is the published one, `superpoint_v1.pth`, and keypoints and descriptors are those that LightGlue
was trained on: maxima of 9 x 9 pixels, descriptors sampled between cells. K keypoints leave the graph, and where an
image has fewer the rest of the slots are zero, marked by `valid`.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract
from enginewright.contract.kinds import extractor_contract_of
from networks import Adapter, network
from networks.parts.cell_sizes import CELL, check_sizes
from networks.parts.cells import BORDER, Ratio, Slots, as_outputs, interpolate, pixel_scores, strongest
from networks.parts.largest import best_side
from networks.parts.soft_detection import local_maxima
from networks.parts.vectors import unit

LEVELS = (64, 64, 128, 128)
"""Channels of the encoder's four levels, which see the image at 1, 1/2, 1/4 and 1/8 of its size."""

HEAD = 256
DESCRIPTOR = 256


class SuperPoint(nn.Module):
    """SuperPoint with its detector: image to K keypoints, the strongest first.

    Args:
        keypoints: K, how many slots each image has.
        window: side of the suppression window in pixels, odd.
        threshold: probability that a score must exceed, 0 or more.
        side: of the blocks among which keypoints are chosen first, see `largest`.
    """

    def __init__(self, keypoints: int, window: int = 9, threshold: float = 0.0005, side: int = 1) -> None:
        super().__init__()
        self.keypoints, self.radius, self.threshold, self.side = keypoints, window // 2, threshold, side
        for level, (channels, out) in enumerate(pairwise((1, *LEVELS)), start=1):
            self.add_module(f"conv{level}a", nn.Conv2d(channels, out, 3, padding=1))
            self.add_module(f"conv{level}b", nn.Conv2d(out, out, 3, padding=1))
        self.convPa = nn.Conv2d(LEVELS[-1], HEAD, 3, padding=1)
        self.convPb = nn.Conv2d(HEAD, CELL * CELL + 1, 1)
        self.convDa = nn.Conv2d(LEVELS[-1], HEAD, 3, padding=1)
        self.convDb = nn.Conv2d(HEAD, DESCRIPTOR, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return keypoints (B, K, 2) x y in pixels, scores (B, K), descriptors (B, K, 256), valid (B, K) int32 0 or 1.

        `image` is (B, 1, H, W), grey, in 0..1; H and W are multiples of 8. A slot that is not valid is zero throughout.
        """
        scores, maps = self.maps(image)
        slots = strongest(local_maxima(scores, self.radius), self.keypoints, self.threshold, side=self.side)
        return as_outputs(slots, described(maps, slots))

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the score of each pixel (B, 1, H, W) and the unit descriptor of each cell (B, 256, H / 8, W / 8)."""
        cells = self._encoded(image)
        scores = pixel_scores(self.convPb(F.relu(self.convPa(cells))))
        return scores, unit(self.convDb(F.relu(self.convDa(cells))), dim=1)

    def _encoded(self, image: Tensor) -> Tensor:
        """Return what both heads read, (B, 128, H / 8, W / 8)."""
        maps = image
        for level in range(1, len(LEVELS) + 1):
            if level > 1:
                maps = F.max_pool2d(maps, 2)
            maps = F.relu(getattr(self, f"conv{level}a")(maps))
            maps = F.relu(getattr(self, f"conv{level}b")(maps))
        return maps


def described(maps: Tensor, slots: Slots) -> Tensor:
    """Return the unit descriptors (B, K, 256) of pixels from those of cells (B, 256, h, w)."""
    height, width = maps.shape[-2:]
    return unit(interpolate(maps, _in_cells(slots.x, width), _in_cells(slots.y, height)).transpose(1, 2), dim=-1)


def _in_cells(pixels: Tensor, cells: int) -> Ratio:
    """Return where pixels are between the `cells` of an axis, as the published code places them.

    It takes pixel 3.5, the middle of the first cell, for position 0, and pixel 8 * cells - 1, the image's last and not
    the last cell's middle, for position cells - 1. The weights were used and LightGlue was trained so: (x - 3.5) of
    (8 * cells - 4.5), times (cells - 1).
    """
    return (2 * pixels - (CELL - 1)) * (cells - 1), 2 * CELL * cells - (CELL + 1)


@network("superpoint")
class SuperPointAdapter(Adapter[ExtractorModel]):
    """SuperPoint for Enginewright."""

    def module(self, model: ExtractorModel) -> nn.Module:
        """Return SuperPoint with its detector."""
        check_sizes(model, BORDER)
        return SuperPoint(model.keypoints, model.window, model.threshold, best_side(model, BORDER))

    def contract(self, model: ExtractorModel) -> Contract:
        """Return the extractor's contract."""
        check_sizes(model, BORDER)
        return extractor_contract_of(model, DESCRIPTOR, channels=1)
