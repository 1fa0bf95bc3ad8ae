"""Cells: the strongest pixel of each cell of an image, described by a convolution. The network that is tortured."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from enginewright.config.models import ModelConfig
from enginewright.contract import Contract
from enginewright.contract.kinds import extractor_contract
from networks import Adapter, network

CELL, DIMENSION, SIDE = 8, 32, 64


class Cells(nn.Module):
    """Image (B, 1, H, W) to one keypoint for each cell: positions, scores, descriptors, and 1 for valid."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Conv2d(1, 1, 5, padding=2)
        self.describe = nn.Conv2d(1, DIMENSION, 7, padding=3)
        self.norm = nn.LayerNorm(DIMENSION)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choose, place and describe."""
        width = image.shape[-1]
        scores, inside = F.pixel_unshuffle(self.score(image), CELL).flatten(2).max(dim=1)
        cell = torch.arange(scores.shape[1])
        x = cell % (width // CELL) * CELL + inside % CELL
        y = cell // (width // CELL) * CELL + inside // CELL
        maps = self.describe(image).flatten(2)
        found = maps.gather(2, (y * width + x)[:, None].expand(-1, DIMENSION, -1)).transpose(1, 2)
        keypoints = torch.stack((x, y), dim=-1).to(image.dtype)
        return keypoints, scores, F.normalize(self.norm(found), dim=-1), torch.ones_like(x, dtype=torch.int32)


@network("cells")
class CellsAdapter(Adapter[ModelConfig]):
    """Cells for Enginewright."""

    def module(self, model: ModelConfig) -> nn.Module:
        """Return the module; its weights come from the checkpoint."""
        return Cells()

    def contract(self, model: ModelConfig) -> Contract:
        """Return names, axes and sizes of inputs and outputs."""
        slots = (SIDE // CELL) ** 2
        return extractor_contract(
            height=SIDE,
            width=SIDE,
            keypoints=slots,
            dimension=DIMENSION,
            batch=model.batch,
            channels=1,
            layernorms=model.layernorms,
        )
