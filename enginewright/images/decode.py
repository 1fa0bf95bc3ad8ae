"""Image files of every common kind to RGB: grey, 16-bit, palette, transparent, rotated by EXIF."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from enginewright.errors import DataError
from enginewright.images.pair import Image8
from enginewright.input_file import read_input

MAX_MEGAPIXELS = 100.0
"""Larger images are refused before they are decoded."""

# Raster formats only: Pillow hands some others (EPS) to outside programs.
_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def read_rgb(path: Path) -> Image8:
    """Return the image file as (height, width, 3) RGB, upright.

    Transparency is laid over black; 16 bits are scaled to 8; of several frames the first is taken.

    Raises:
        DataError: if the file is missing, a pipe or device, no image, cut short, larger than `MAX_MEGAPIXELS`, or of a
            value range that no file says (floating point, 32 bits).
    """
    try:
        return _decode(path)
    except DataError:
        raise
    except Exception as error:  # a decoder fed a broken file may raise anything, struct.error and IndexError included
        raise DataError(
            f"{path.name} cannot be read as an image: {error}",
            expected=f"a whole file of {', '.join(_FORMATS)}",
            got=str(path),
            cure="replace the file, or take its pair out",
        ) from error


def _decode(path: Path) -> Image8:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below, by a lower and stated limit
        image = Image.open(io.BytesIO(read_input(path)), formats=_FORMATS)
    with image:
        _refuse_huge(path, image.size)
        return _rgb(path, ImageOps.exif_transpose(image))


def _refuse_huge(path: Path, size: tuple[int, int]) -> None:
    megapixels = size[0] * size[1] / 1e6
    if megapixels > MAX_MEGAPIXELS:
        raise DataError(
            f"{path.name} is too large",
            expected=f"at most {MAX_MEGAPIXELS:g} megapixels",
            got=f"{size[0]} x {size[1]} pixels, {megapixels:.0f} megapixels",
            cure="scale it down, its homography too",
        )


def _rgb(path: Path, image: Image.Image) -> Image8:
    if image.mode in _SIXTEEN_BIT:
        return _from_sixteen_bits(path, np.asarray(image).astype(np.int64))
    if image.mode == "F":
        raise _unknown_range(path, "floating-point values")
    if image.has_transparency_data:
        over_black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(over_black, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _from_sixteen_bits(path: Path, grey: NDArray[np.int64]) -> Image8:
    if grey.min() < 0 or grey.max() > 65535:
        raise _unknown_range(path, f"values from {grey.min()} to {grey.max()}")
    eight = ((grey * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(eight[:, :, None], 3, axis=2)


def _unknown_range(path: Path, got: str) -> DataError:
    return DataError(
        f"{path.name} has a value range that the file does not say",
        expected="8 or 16 bits a channel",
        got=got,
        cure="save it with 8 or 16 bits",
    )
