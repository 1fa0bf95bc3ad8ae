"""Pictures inside a page: as data, so that the page needs nothing beside it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from enginewright.errors import DataError

_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """A picture in a page. uri: a `data:` address. width, height: pixels."""

    title: str
    uri: str
    width: int
    height: int


def pictures_in(folder: Path) -> list[Picture]:
    """Return every PNG below a network's folder of plots, by path; the title is the path in words.

    Raises:
        DataError: if a file is no picture.
    """
    found = sorted(folder.rglob("*.png"))
    return [picture_from(path.read_bytes(), _title(path.relative_to(folder)), path.name) for path in found]


def _title(path: Path) -> str:
    return " ".join([*(f"{part}:" for part in path.parent.parts), path.stem.replace("_", " ")])


def picture_from(png: bytes, title: str, name: str) -> Picture:
    """Return a PNG as a picture in a page; name: of its file, for errors.

    Raises:
        DataError: if it is no picture.
    """
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            (width, height), webp = image.size, _webp(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} is no picture: {error}", expected="a PNG", cure="dvc repro") from error
    # A photograph is a tenth as large as WebP; a plot of lines may be smaller as it is.
    kind, data = ("webp", webp) if len(webp) < len(png) else ("png", png)
    return Picture(title, f"data:image/{kind};base64,{base64.b64encode(data).decode()}", width, height)


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()
