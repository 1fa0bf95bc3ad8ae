"""The default pairs: the stereo pair and photographs that lie in scikit-image's wheel. No network is used."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from enginewright.config.sections import DataConfig
from enginewright.errors import DataError, RequirementError
from enginewright.images.decode import read_rgb
from enginewright.images.pair import Image8, Pair
from enginewright.images.resize import Matrix, resized, warped
from enginewright.images.truth import Disparity, Homography


def scikit_image_pairs(data: DataConfig, height: int, width: int, limit: int | None = None) -> list[Pair]:
    """Return the stereo pair, if `data.stereo`, then one pair for each photograph, all (height, width, 3).

    `limit`: the first so many.
    """
    return list(islice(_pairs(data, height, width), limit))


def _pairs(data: DataConfig, height: int, width: int) -> Iterator[Pair]:
    folder = data_folder()
    if data.stereo:
        yield _motorcycle(folder, height, width)
    for name in data.photographs:
        yield _photograph(folder, name, data, height, width)


def data_folder() -> Path:
    """Return scikit-image's folder of images, without importing it (half a second) or asking it to download.

    Raises:
        RequirementError: if scikit-image is not installed.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise RequirementError(
            "scikit-image, whose wheel holds the default images, is not installed",
            cure="pip install scikit-image, or data=folder with your own pairs",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _motorcycle(folder: Path, height: int, width: int) -> Pair:
    """Return the pair "motorcycle" (Scharstein et al., GCPR 2014, a quarter of its size) with its disparities."""
    left, right = read_rgb(folder / "motorcycle_left.png"), read_rgb(folder / "motorcycle_right.png")
    disparities = _disparities(folder / "motorcycle_disp.npz")
    if not left.shape[:2] == right.shape[:2] == disparities.shape:
        raise DataError(
            "the motorcycle pair does not fit its disparities",
            expected=disparities.shape,
            got=[left.shape[:2], right.shape[:2]],
            cure="install scikit-image again",
        )
    truth = Disparity(disparities, height, width)
    return Pair("motorcycle", resized(left, height, width), resized(right, height, width), truth)


def _disparities(path: Path) -> NDArray[np.float32]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            values: NDArray[np.float32] = archive[archive.files[0]].astype(np.float32)
            return values
    except (OSError, EOFError, ValueError, IndexError, BadZipFile) as error:
        raise DataError(
            f"{path.name} cannot be read: {error}", expected="disparities, (h, w)", cure="install scikit-image again"
        ) from error


def _photograph(folder: Path, name: str, data: DataConfig, height: int, width: int) -> Pair:
    image0 = resized(_read(folder, name), height, width)
    matrix = draw_homography(name, data, height, width)
    return Pair(name, image0, warped(image0, matrix), Homography(matrix))


def _read(folder: Path, name: str) -> Image8:
    found = next((path for ending in ("png", "jpg") if (path := folder / f"{name}.{ending}").is_file()), None)
    if found is None:
        raise DataError(f"this scikit-image has no photograph {name}", got=str(folder), cure="change data.photographs")
    return read_rgb(found)


def draw_homography(name: str, data: DataConfig, height: int, width: int) -> Matrix:
    """Return the (3, 3) homography of pixel centres that the seed and the photograph's name decide.

    The same draw at every size, and a photograph's draw does not depend on the other photographs. About the image's
    centre: tilt, zoom, rotation, then shift.
    """
    turn, zoom, x, y, tilt_x, tilt_y = np.random.default_rng([data.seed, *name.encode()]).uniform(-1, 1, size=6)
    angle, scale = math.radians(turn * data.max_angle_deg), data.max_zoom**zoom
    tilt = np.array([[1, 0, 0], [0, 1, 0], [tilt_x * data.max_tilt, tilt_y * data.max_tilt, 1]])
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    half, centre_x, centre_y = max(height, width) / 2, (width - 1) / 2, (height - 1) / 2
    to_unit = np.array([[1 / half, 0, -centre_x / half], [0, 1 / half, -centre_y / half], [0, 0, 1]])
    shift = np.array([[1, 0, x * data.max_shift * width], [0, 1, y * data.max_shift * height], [0, 0, 1]])
    matrix: Matrix = shift @ np.linalg.inv(to_unit) @ turned @ tilt @ to_unit
    return matrix
