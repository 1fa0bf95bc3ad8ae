"""References at other K: what the original network gives in fp32 on real images.

The strongest keypoints of an image come first, so those of a smaller K are the first of them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import networks
from benchmarks.latency.samples import Arrays
from enginewright.images import load_pairs
from enginewright.samples import matcher_samples
from enginewright.stage.chain import configured, needed
from enginewright.weights.store import load_checkpoint
from networks.disk import Disk
from networks.lightglue import LightGlue

SIDE = 1024
"""Pixels: at 512 DISK has no 4096 keypoints."""


def write_references(folder: Path, sizes: tuple[int, ...], pairs: int) -> None:
    """Write matcher-K.npz for each K into `folder`, of the first so many configured pairs."""
    missing = [keypoints for keypoints in sizes if not _path(folder, keypoints).is_file()]
    if not missing:
        return
    features = _features(max(sizes), pairs)
    matcher = LightGlue(128).eval()
    load_checkpoint(needed("disk_lightglue", "checkpoint.safetensors"), matcher)
    for keypoints in missing:
        inputs = {name: array[:, :, :keypoints] for name, array in features.items()}
        arrays = {f"in/{name}": array for name, array in inputs.items()} | _matched(matcher, inputs)
        np.savez(_path(folder, keypoints), allow_pickle=False, **arrays)


def extracted(network: str, keypoints: int, images: NDArray[np.float32]) -> Arrays:
    """Return what an extractor gives at K, (S, B, K, ...) by the names of a reference, for images (S, B, C, H, W)."""
    sizes: dict[str, Any] = {"keypoints": keypoints}
    model = replace(configured(network, []).model, **sizes)
    adapter = networks.load(model.adapter)
    module = adapter.module(model).eval()
    load_checkpoint(needed(network, "checkpoint.safetensors"), module)
    with torch.inference_mode():
        rows = [[value.numpy() for value in module(torch.from_numpy(image))] for image in images]
    names = [port.name for port in adapter.contract(model).outputs]
    return {f"out/{name}": np.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def _path(folder: Path, keypoints: int) -> Path:
    return folder / f"matcher-{keypoints}.npz"


def _features(keypoints: int, count: int) -> Arrays:
    """Return keypoints (S, 2, K, 2), normalised, and descriptors (S, 2, K, 128) of real pairs."""
    extractor = Disk(keypoints).eval()
    load_checkpoint(needed("disk", "checkpoint.safetensors"), extractor)
    pairs = load_pairs(configured("disk", []).data, SIDE, SIDE, count)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for image in (image for pair in pairs for image in pair.images):
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            points, _, descriptors, valid = extractor(pixels)
        if not bool(valid.all()):
            raise ValueError(f"an image has fewer than {keypoints} keypoints")
        found.append((points[0].numpy(), descriptors[0].numpy()))
    points, descriptors = (np.stack(arrays) for arrays in zip(*found, strict=True))
    return matcher_samples(pairs, points, descriptors, 1).inputs


def _matched(matcher: LightGlue, inputs: Arrays) -> Arrays:
    rows = []
    for points, descriptors in zip(inputs["keypoints"], inputs["descriptors"], strict=True):
        with torch.inference_mode():
            rows.append([value.numpy() for value in matcher(torch.from_numpy(points), torch.from_numpy(descriptors))])
    return {
        f"out/{name}": np.stack(values)
        for name, values in zip(("matches", "mscores"), zip(*rows, strict=True), strict=True)
    }
