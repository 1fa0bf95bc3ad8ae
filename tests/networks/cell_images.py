"""Grey images and sections of the networks of 8 x 8 cells, for their tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from enginewright.config.models import ExtractorModel
from tests.networks.real import photograph

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def grey(image: Tensor, height: int, width: int) -> Tensor:
    """Return the middle of a coloured image (1, 3, H, W) as luma (1, 1, height, width)."""
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    cut = image[..., top : top + height, left : left + width]
    return (cut * LUMA).sum(dim=1, keepdim=True).contiguous()


def images() -> dict[str, Tensor]:
    """Return real images by name, square, wide and tall, with sides from 16 to 512."""
    return {
        "square": grey(photograph("astronaut.png"), 256, 256),
        "wide": grey(photograph("motorcycle_left.png"), 192, 320),
        "tall": grey(photograph("coffee.png"), 328, 136),
        "narrow": grey(photograph("brick.png"), 512, 16),
    }


def section(adapter: str, **values: Any) -> ExtractorModel:
    """Return a `model` section as conf/network/ has it for these networks, with what a test changes."""
    options = {"detector": "maxima"} if adapter == "superpoint_open" else {}
    threshold = 0.005 if adapter == "superpoint_open" else 0.0005
    defaults = {"multiple": 8, "window": 9, "threshold": threshold, "options": options}
    return ExtractorModel(**{"adapter": adapter, **defaults, **values})
