"""One input of a graph as a conf file describes it: its size along every axis, and what fills it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from enginewright.config import check
from enginewright.errors import ConfigError

_MOST_ELEMENTS = 1 << 28
"""No sample is larger (a GiB of float32): a slip of the pen, not an input."""


class Fill(Enum):
    """What fills an input: the data's images, random numbers, ones, or arrays from a file."""

    image = "image"
    values = "values"
    ones = "ones"
    file = "file"


class Channels(Enum):
    """Where an image's channels stand: (N, C, H, W) or (N, H, W, C)."""

    first = "first"
    last = "last"


@dataclass(frozen=True)
class FilledInput:
    """The sizes of all axes of an input, and what fills it.

    low, high: the range of the values; an image's black and white, random numbers from low up to but without high.
    path, sha256: an .npz whose array of the input's name is (S, *shape), S samples.
    """

    shape: list[int]
    fill: Fill
    channels: Channels = Channels.first
    low: float = 0.0
    high: float = 1.0
    path: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        for size in self.shape:
            check.between("model.inputs.NAME.shape", size, 1, _MOST_ELEMENTS)
        check.between("the number of elements of model.inputs.NAME.shape", math.prod(self.shape), 1, _MOST_ELEMENTS)
        check.between("model.inputs.NAME.low", self.low, -math.inf, math.nextafter(self.high, -math.inf))
        if not math.isfinite(self.high - self.low):
            raise ConfigError("model.inputs.NAME has no finite range", expected="low < high", got=[self.low, self.high])
        if self.fill is Fill.file:
            check.given("model.inputs.NAME.path", self.path, "fill: file reads it")
            check.digest("model.inputs.NAME.sha256", str(self.sha256))
        if self.fill is Fill.image:
            self._check_image()

    def _check_image(self) -> None:
        if len(self.shape) != 4 or self.image_size[0] not in (1, 3):
            raise ConfigError(
                "model.inputs.NAME cannot take images",
                expected="four sizes, N C H W, or N H W C with channels: last; C is 1 or 3",
                got=f"shape {self.shape}, channels {self.channels.name}",
                cure="correct shape and channels, or use fill: values",
            )

    @property
    def image_size(self) -> tuple[int, int, int]:
        """Return channels, height and width of an image input."""
        _, *sizes = self.shape
        channels, height, width = sizes if self.channels is Channels.first else (sizes[2], *sizes[:2])
        return channels, height, width
