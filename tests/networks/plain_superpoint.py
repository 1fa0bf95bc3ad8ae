"""SuperPoint written down plainly for the tests: one image, numpy, lists of any length, no word shared with ours.

It follows the published behaviour: probabilities laid out pixel by pixel, maxima in three rounds, edges left out,
scores above the threshold, the K largest, and descriptors sampled by torch's own `grid_sample` with aligned corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from torch import Tensor

Array = NDArray[Any]


@dataclass(frozen=True)
class Found:
    """An image's keypoints (N, 2) x y, scores (N,) and descriptors (N, 256), the strongest first."""

    keypoints: Array
    scores: Array
    descriptors: Array

    def by_position(self) -> dict[tuple[float, ...], tuple[float, Array]]:
        """Return score and descriptor of each keypoint."""
        rows = zip(self.keypoints.tolist(), self.scores.tolist(), self.descriptors, strict=True)
        return {tuple(position): (score, descriptor) for position, score, descriptor in rows}


def dense(state: dict[str, Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits (65, h, w) and unit descriptors (256, h, w) of an image (1, 1, H, W)."""

    def conv(name: str, x: Tensor) -> Tensor:
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)

    x = image
    for name in ("1a", "1b", "pool", "2a", "2b", "pool", "3a", "3b", "pool", "4a", "4b"):
        x = F.max_pool2d(x, 2) if name == "pool" else conv(f"conv{name}", x).relu()
    logits = conv("convPb", conv("convPa", x).relu())
    return logits[0], F.normalize(conv("convDb", conv("convDa", x).relu()), dim=1)[0]


def pixels(logits: Tensor) -> Array:
    """Return the probabilities (H, W) of logits (65, h, w), placed in a loop over the pixels of a cell."""
    cells = logits.softmax(dim=0).numpy()
    scores = np.zeros((8 * cells.shape[1], 8 * cells.shape[2]), dtype=np.float32)
    for place in range(64):
        scores[place // 8 :: 8, place % 8 :: 8] = cells[place]
    return scores


def maxima(scores: Array, radius: int) -> Array:
    """Return where the maxima are: those of all scores, then twice those of what they leave."""

    def largest(values: Array) -> Array:
        found: Array = maximum_filter(values, size=2 * radius + 1, mode="constant", cval=-1)
        return found

    kept: Array = scores == largest(scores)
    for _ in range(2):
        shaded = largest(kept.astype(np.uint8)) > 0
        rest = np.where(shaded, 0, scores)
        kept |= (rest == largest(rest)) & ~shaded
    return kept


def select(scores: Array, radius: int, threshold: float, count: int, edge: int = 4) -> tuple[Array, Array]:
    """Return x y (N, 2) and scores (N,) of the `count` strongest keypoints of a score map (H, W)."""
    kept = maxima(scores, radius) & (scores > threshold)
    kept[:edge] = kept[-edge:] = False
    kept[:, :edge] = kept[:, -edge:] = False
    rows, columns = np.nonzero(kept)
    order = np.argsort(-scores[rows, columns], kind="stable")[:count]
    return np.column_stack((columns, rows))[order].astype(np.float32), scores[rows, columns][order]


def describe(maps: Tensor, keypoints: Array) -> Array:
    """Return descriptors (N, 256): the first cell's middle at -1, the image's last pixel at 1, corners aligned."""
    height, width = maps.shape[1:]
    last = np.array([8 * width - 1, 8 * height - 1], dtype=np.float32) - 3.5
    grid = torch.from_numpy((keypoints - 3.5) / last * 2 - 1)
    found = F.grid_sample(maps[None], grid[None, None], mode="bilinear", align_corners=True)[0, :, 0]
    return F.normalize(found, dim=0).T.numpy()


def plain_superpoint(
    state: dict[str, Tensor], image: Tensor, count: int, threshold: float = 0.0005, radius: int = 4
) -> Found:
    """Return what SuperPoint with the weights `state` finds in an image (1, 1, H, W)."""
    with torch.inference_mode():
        logits, maps = dense(state, image)
        keypoints, scores = select(pixels(logits), radius, threshold, count)
        return Found(keypoints, scores, describe(maps, keypoints))
