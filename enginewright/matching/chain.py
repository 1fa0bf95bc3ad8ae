"""Extractor and matcher in a row, over image pairs: what the two networks are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from enginewright.images import Pair, to_input
from enginewright.matching.features import Arrays, Features, Matched, features_of, matched
from enginewright.matching.graph import Graph, require
from enginewright.matching.normalise import interleave, normalise_keypoints

_EXTRACTOR = ("keypoints", "descriptors")
Tick = Callable[[float], None]
T = TypeVar("T")


def extract(graph: Graph, pairs: Sequence[Pair], channels: int, tick: Tick = lambda done: None) -> list[Features]:
    """Return the features of every image: 2N of N pairs, image 0 before image 1. `tick` takes the images done.

    Images go through in the graph's batch; the last is filled up with repeats.

    Raises:
        GraphError: if the graph does not run or lacks a tensor of its contract.
    """
    images = [image for pair in pairs for image in pair.images]
    batch, found = graph.slots("image"), []
    for start in range(0, len(images), batch):
        chunk = images[start : start + batch]
        outputs = graph({"image": to_input(filled(chunk, batch), channels)})
        require(_EXTRACTOR, outputs, "the extractor's graph")
        found += features_of(outputs, len(chunk))
        tick(len(found))
    return found


def match(
    graph: Graph, features: Sequence[Features], size: tuple[int, int], threshold: float, tick: Tick = lambda done: None
) -> list[Matched]:
    """Return the matches of each of N pairs, whose features are 2N in order. `tick` takes the pairs done.

    size: (height, width) in pixels of all images. threshold: for graphs that return scores.

    Raises:
        GraphError: if the graph does not run or lacks a tensor of its contract.
    """
    couples = list(zip(features[0::2], features[1::2], strict=True))
    batch, found = max(1, graph.slots("keypoints") // 2), []
    for start in range(0, len(couples), batch):
        chunk = couples[start : start + batch]
        outputs = graph(_matcher_inputs(filled(chunk, batch), size))
        require(() if "scores" in outputs else ("matches", "mscores"), outputs, "the matcher's graph")
        found += [matched(*couple, outputs, slot, threshold) for slot, couple in enumerate(chunk)]
        tick(len(found))
    return found


def _matcher_inputs(couples: Sequence[tuple[Features, Features]], size: tuple[int, int]) -> Arrays:
    height, width = size
    first, second = zip(*couples, strict=True)
    keypoints = [_stack([item.keypoints for item in side]) for side in (first, second)]
    descriptors = [_stack([item.descriptors for item in side]) for side in (first, second)]
    return {
        "keypoints": interleave(*(normalise_keypoints(points, width, height) for points in keypoints)),
        "descriptors": interleave(*descriptors),
    }


def _stack(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(arrays).astype(np.float32)


def filled(items: Sequence[T], count: int) -> list[T]:
    """Return the items with the last repeated up to `count`."""
    return [*items, *[items[-1]] * (count - len(items))]
