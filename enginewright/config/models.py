"""The arguments of each adapter's module: sizes that decide shapes, and the network's own constants.

A network without a dataclass here uses `ModelConfig`: its adapter reads `options`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from enginewright.config import check
from enginewright.config.choices import MatcherOutput

MAX_KEYPOINTS = 3840
"""TensorRT's TopK takes no larger K."""


@dataclass(frozen=True)
class ModelConfig:
    """What every network has: the adapter's name, and the batch.

    ranges: for each dynamic axis [min, max] of the optimisation profile; its optimum is the static size.
    has_layernorm: whether the network is known to hold LayerNorm layers, which opset 16 cannot say natively.
    """

    has_layernorm: ClassVar[bool] = False

    adapter: str
    batch: int = 1
    ranges: dict[str, list[int]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check.between("model.batch", self.batch, 1, 256)
        check.plain_names("model.options", self.options)
        for axis, pair in self.ranges.items():
            check.profile(f"model.ranges.{axis}", pair)


@dataclass(frozen=True)
class DiskModel(ModelConfig):
    """DISK: height and width in pixels, multiples of 16; keypoints K per image."""

    adapter: str = "disk"
    height: int = 512
    width: int = 512
    keypoints: int = 1024
    window: int = 5
    threshold: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check.multiple("model.height", self.height, 16)
        check.multiple("model.width", self.width, 16)
        check.between("model.window", self.window, 3, min(63, self.height, self.width))
        check.odd("model.window", self.window)
        inner = (self.height - self.window + 1) * (self.width - self.window + 1)
        check.between("model.keypoints", self.keypoints, 1, min(MAX_KEYPOINTS, inner))


@dataclass(frozen=True)
class LightGlueModel(ModelConfig):
    """LightGlue: K keypoints per image with descriptors of `input_dim`; batch counts pairs."""

    has_layernorm: ClassVar[bool] = True
    adapter: str = "lightglue"
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


MODELS: dict[str, type[ModelConfig]] = {"disk": DiskModel, "lightglue": LightGlueModel}
"""The dataclass of each adapter that has one."""


def model_class(adapter: str) -> type[ModelConfig]:
    """Return the dataclass of an adapter's arguments: its own, or the general one."""
    return MODELS.get(adapter, ModelConfig)
