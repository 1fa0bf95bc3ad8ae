"""Real images as graph inputs: what a network of each kind is run on. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from enginewright.images.pair import Pair
from enginewright.images.tensor import to_input
from enginewright.matching.normalise import interleave, normalise_keypoints
from enginewright.reference import Arrays

Float = NDArray[np.float32]


class Samples(NamedTuple):
    """S graph inputs of one shape: inputs by tensor name, arrays (S, *shape in the graph), and S names."""

    inputs: Arrays
    names: tuple[str, ...]


def extractor_samples(pairs: Sequence[Pair], channels: int, batch: int) -> Samples:
    """Return the images of all pairs as `image` (S, batch, channels, H, W), and a name for each of the S samples.

    Images go in order, both of a pair one after the other; the last sample is filled up with the last image.
    """
    images = to_input([image for pair in pairs for image in pair.images], channels)
    names = [f"{pair.name}/{side}" for pair in pairs for side in (0, 1)]
    return Samples({"image": batched(images, batch)}, grouped_names(names, batch))


def matcher_samples(pairs: Sequence[Pair], keypoints: Float, descriptors: Float, batch: int) -> Samples:
    """Return the features of all N pairs as `keypoints` (S, 2 batch, K, 2), normalised, and `descriptors`.

    keypoints: (2N, K, 2) in pixels, images in pair order. descriptors: (2N, K, D).
    """
    height, width = pairs[0].image0.shape[:2]
    placed = normalise_keypoints(keypoints, width, height)
    inputs: Arrays = {"keypoints": _paired(placed, batch), "descriptors": _paired(descriptors, batch)}
    return Samples(inputs, grouped_names([pair.name for pair in pairs], batch))


def _paired(rows: Float, batch: int) -> Float:
    first, second = batched(rows[0::2], batch), batched(rows[1::2], batch)
    return np.stack([interleave(a, b) for a, b in zip(first, second, strict=True)])


def batched(rows: Float, batch: int) -> Float:
    """Return (N, ...) as (S, batch, ...), the last row repeated until the last sample is full."""
    short = -len(rows) % batch
    full = np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)])
    return full.reshape(-1, batch, *rows.shape[1:])


def grouped_names(names: Sequence[str], batch: int) -> tuple[str, ...]:
    """Return one name for each sample: those of its rows, joined by `+`."""
    return tuple("+".join(names[start : start + batch]) for start in range(0, len(names), batch))
