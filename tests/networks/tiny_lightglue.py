"""A LightGlue of two narrow layers, for tests that need no real weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from networks.lightglue import LightGlue

WIDTH = 16


def small_lightglue(**options: Any) -> LightGlue:
    """Return a LightGlue of two narrow layers with fixed random weights, far from any symmetry."""
    torch.manual_seed(0)
    module = LightGlue(WIDTH, layers=2, width=32, heads=4, **options).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2.0)
    return module


def random_inputs(pairs: int, count: int, width: int = WIDTH, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    keypoints = 2 * torch.rand(2 * pairs, count, 2, generator=generator) - 1
    descriptors = torch.randn(2 * pairs, count, width, generator=generator)
    return keypoints, nn.functional.normalize(descriptors, dim=-1)
