"""What a conf file says of a network's module: sizes that decide shapes, by what the network is for.

A dataclass for each kind serves every network: extractor, matcher, both in one graph, ONNX file, and any other.
A network's own constants go into `options`, which its adapter reads, so that adding a network changes no file here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from enginewright.config import check
from enginewright.config.choices import MatcherOutput, ModelKind
from enginewright.config.filled_input import FilledInput

MAX_KEYPOINTS = 3840
"""TensorRT's TopK takes no larger K."""

MOST_BATCH = 256


@dataclass(frozen=True)
class ModelConfig:
    """What every network has: the adapter's name, and the batch.

    layernorms: how many LayerNorm layers the module has; the swap stage checks it, and opset 16 has no operator for
    them. ranges: for each dynamic axis [min, max] of the optimisation profile; its optimum is the static size.
    options: the network's own constants, for its adapter.
    """

    adapter: str
    kind: ModelKind = ModelKind.network
    batch: int = 1
    layernorms: int = 0
    ranges: dict[str, list[int]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check.between("model.batch", self.batch, 1, MOST_BATCH)
        check.between("model.layernorms", self.layernorms, 0, 10_000)
        check.plain_names("model.options", self.options)
        for axis, pair in self.ranges.items():
            check.profile(f"model.ranges.{axis}", pair)


@dataclass(frozen=True)
class ExtractorModel(ModelConfig):
    """An extractor: images of height x width pixels, both a multiple of `multiple`, to K keypoints each.

    window: side of the non-maximum suppression window in pixels. threshold: what a keypoint's score must exceed.
    """

    kind: ModelKind = ModelKind.extractor
    height: int = 512
    width: int = 512
    multiple: int = 1
    keypoints: int = 1024
    window: int = 5
    threshold: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check.between("model.multiple", self.multiple, 1, 1024)
        check.multiple("model.height", self.height, self.multiple)
        check.multiple("model.width", self.width, self.multiple)
        check.between("model.window", self.window, 3, min(63, self.height, self.width))
        check.odd("model.window", self.window)
        check.between("model.keypoints", self.keypoints, 1, self.most_keypoints(self.height, self.width))

    def most_keypoints(self, height: int, width: int) -> int:
        """Return the largest K at an image size: TensorRT's limit, or every pixel whose window lies in the image."""
        rows, columns = (max(0, size - self.window + 1) for size in (height, width))
        return min(MAX_KEYPOINTS, rows * columns)


@dataclass(frozen=True)
class MatcherModel(ModelConfig):
    """A matcher: K keypoints per image with descriptors of `input_dim`; batch counts pairs.

    filter_threshold: the least confidence of a match. mask_padding: whether slots with a zero descriptor are ignored.
    """

    kind: ModelKind = ModelKind.matcher
    keypoints: int = 1024
    input_dim: int = 128
    filter_threshold: float = 0.1
    output: MatcherOutput = MatcherOutput.matches
    mask_padding: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check.between("model.keypoints", self.keypoints, 1, 65536)
        check.between("model.input_dim", self.input_dim, 1, 4096)
        check.between("model.filter_threshold", self.filter_threshold, 0, 1)


@dataclass(frozen=True)
class NetworkModel(ModelConfig):
    """A network that is neither extractor nor matcher, or whose adapter has sizes of its own.

    samples: how many to make where no input is filled with images or from a file. inputs: by tensor name the keys of
    `FilledInput`: what the original is run on. An extractor or matcher needs none, since the data's images feed it.
    """

    samples: int = 4
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        check.between("model.samples", self.samples, 1, 1000)
        self.filled()

    def filled(self) -> dict[str, FilledInput]:
        """Return the inputs, typed and checked."""
        from enginewright.config.typed import typed  # it needs the classes of this file

        return {name: typed(FilledInput, values, f"model.inputs.{name}") for name, values in self.inputs.items()}


@dataclass(frozen=True)
class OnnxModel(NetworkModel):
    """An ONNX file instead of a torch module: there is no adapter, and the shapes are those of `inputs`.

    layernorms: how many LayerNorms the file is known to have, 0 where that is not known.
    """

    adapter: str = "onnx"
    kind: ModelKind = ModelKind.onnx


@dataclass(frozen=True)
class MergedModel(ModelConfig):
    """An extractor and its matcher as one graph. It has no module, so no adapter: `adapter` says "none".

    matcher: the network of kind matcher; `extractor`, above the section, names the other part. batch counts pairs.
    """

    kind: ModelKind = ModelKind.merged
    matcher: str = ""


MODELS: dict[str, type[ModelConfig]] = {
    "network": NetworkModel,
    "extractor": ExtractorModel,
    "matcher": MatcherModel,
    "merged": MergedModel,
    "onnx": OnnxModel,
}
"""The dataclass of each kind."""


def model_class(kind: str) -> type[ModelConfig]:
    """Return the dataclass of a kind; the general one, which refuses it by name, where there is no such kind."""
    return MODELS.get(kind, NetworkModel)
