"""The pairs that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

from enginewright.config.choices import DataSource
from enginewright.config.sections import DataConfig
from enginewright.images.folder import folder_pairs
from enginewright.images.pair import Pair
from enginewright.images.scikit_image import scikit_image_pairs


def load_pairs(data: DataConfig, height: int, width: int, limit: int | None = None) -> list[Pair]:
    """Return the configured pairs, at least one, every image resized to (height, width, 3) RGB.

    `limit`: the first so many pairs. The same configuration gives the same pixels, in the same order.

    Raises:
        DataError: if an image, a list or a ground truth cannot be used.
        RequirementError: if the default data's package is not installed.
    """
    if data.source is DataSource.folder:
        return folder_pairs(Path(str(data.folder)), height, width, limit)
    return scikit_image_pairs(data, height, width, limit)
