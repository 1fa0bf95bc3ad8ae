"""What several tests of the networks share, made once: it takes seconds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import networks
from tests.models import disk_model, lightglue_model
from tests.networks.real import KEYPOINTS, Features, Published, import_published, real_images


@pytest.fixture(scope="session")
def published() -> Published:
    """Return the published implementation."""
    return import_published()


@pytest.fixture(scope="session")
def disk(published: Published) -> nn.Module:
    """Return our DISK with the published weights, under their own names."""
    module = networks.load("disk").module(disk_model(keypoints=KEYPOINTS)).eval()
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
    module = networks.load("lightglue").module(lightglue_model(keypoints=KEYPOINTS)).eval()
    module.load_state_dict(lightglue_state, strict=True)
    return module


@pytest.fixture(scope="session")
def original_lightglue(published: Published) -> Any:
    """Return the published LightGlue at full depth and width."""
    return published.lightglue(features="disk", depth_confidence=-1, width_confidence=-1).eval()


@pytest.fixture(scope="session")
def features(disk: nn.Module, published: Published) -> dict[str, Features]:
    """Return what both implementations of DISK find in each image."""
    original = published.disk(max_num_keypoints=KEYPOINTS).eval()
    with torch.inference_mode():
        return {name: Features(disk(image), original({"image": image})) for name, image in real_images().items()}
