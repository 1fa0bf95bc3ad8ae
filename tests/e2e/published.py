"""Extractor and matcher in a row, published and exported, on photographs of any size, and how the two are judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import skimage.data
import skimage.io
import torch
from numpy.typing import NDArray
from torch import Tensor

from enginewright.matching.normalise import interleave, normalise_keypoints
from tests.networks.real import TRANSFORM, turned

Images = tuple[Tensor, Tensor]
Float = NDArray[np.float32]

NEAR_PX = 1e-3
"""Farther apart, two keypoints are not the same one."""

LEAST_COSINE = 0.99999


@dataclass(frozen=True)
class Side:
    """One image's keypoints: (N, 2) pixels, and descriptors (N, D); none of them padding."""

    keypoints: Float
    descriptors: Float


@dataclass(frozen=True)
class Found:
    """Both images' keypoints, and matches (M, 2): index in image 0 and in image 1."""

    sides: tuple[Side, Side]
    matches: NDArray[np.int64]


def photograph_at(name: str, height: int, width: int) -> Tensor:
    """Return an image of scikit-image's wheel as (1, 3, height, width) in 0..1."""
    pixels = skimage.io.imread(Path(skimage.data.__file__).parent / name)[..., :3] / 255.0
    resized = TRANSFORM.resize(pixels, (height, width), order=1)
    return torch.tensor(resized.transpose(2, 0, 1)[None], dtype=torch.float32)


def pair_at(name: str, height: int, width: int) -> Images:
    """Return the stereo pair `motorcycle`, or a photograph and itself turned."""
    if name == "motorcycle":
        left, right = (photograph_at(f"motorcycle_{side}.png", height, width) for side in ("left", "right"))
        return left, right
    image = photograph_at(name, height, width)
    return image, turned(image)


def by_the_published(extractor: Any, matcher: Any, images: Images) -> Found:
    """Return what the published pipeline finds."""
    height, width = images[0].shape[-2:]
    with torch.inference_mode():
        rows = [{**extractor({"image": image}), "image_size": torch.tensor([[width, height]])} for image in images]
        matches = matcher({"image0": rows[0], "image1": rows[1]})["matches"][0].numpy()
    first, second = (Side(row["keypoints"][0].numpy(), row["descriptors"][0].numpy()) for row in rows)
    return Found((first, second), matches)


def session_of(graph: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    """Return a graph, or the graph in a file, in ONNX Runtime."""
    data = str(graph) if isinstance(graph, Path) else graph.SerializeToString()
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def by_the_graphs(
    extractor: onnxruntime.InferenceSession, matcher: onnxruntime.InferenceSession, images: Images
) -> Found:
    """Return what two graphs find, run as a user of the graph contract runs them."""
    height, width = images[0].shape[-2:]
    names = ["keypoints", "descriptors", "valid"]
    rows = [extractor.run(names, {"image": image.numpy()}) for image in images]
    placed = [normalise_keypoints(row[0], width, height) for row in rows]
    feeds = {"keypoints": interleave(*placed), "descriptors": interleave(*(row[1] for row in rows))}
    index = matcher.run(["matches"], feeds)[0][0]
    first, second = (Side(row[0][0][row[2][0] == 1], row[1][0][row[2][0] == 1]) for row in rows)
    kept = np.flatnonzero(index >= 0)
    return Found((first, second), np.stack((kept, index[kept]), axis=1))


def partners(theirs: Side, ours: Side) -> NDArray[np.int64]:
    """Return for each published keypoint the index of ours; fail unless all have one, near and described alike."""
    assert theirs.keypoints.shape == ours.keypoints.shape
    distances = np.linalg.norm(theirs.keypoints[:, None].astype(np.float64) - ours.keypoints[None], axis=-1)
    index: NDArray[np.int64] = distances.argmin(axis=1)
    assert len(set(index.tolist())) == len(index)
    assert distances.min(axis=1).max() <= NEAR_PX
    assert (theirs.descriptors * ours.descriptors[index]).sum(axis=1).min() >= LEAST_COSINE
    return index


def assert_the_same(theirs: Found, ours: Found, least: int) -> None:
    """Fail unless keypoints, descriptors and every match are the published ones, `least` matches or more."""
    first, second = (partners(*sides) for sides in zip(theirs.sides, ours.sides, strict=True))
    wanted = {(int(first[a]), int(second[b])) for a, b in theirs.matches}
    assert len(wanted) >= least
    assert wanted == {(int(a), int(b)) for a, b in ours.matches}
