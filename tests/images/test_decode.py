from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enginewright.errors import DataError
from enginewright.images.decode import MAX_MEGAPIXELS, read_rgb

COLOURS = np.random.default_rng(0).integers(0, 256, size=(7, 11, 3), dtype=np.uint8)


def written(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def test_colours_survive(tmp_path: Path) -> None:
    image = read_rgb(written(tmp_path / "a.png", Image.fromarray(COLOURS)))
    assert image.dtype == np.uint8
    assert (image == COLOURS).all()


@pytest.mark.parametrize("ending", ["bmp", "tif", "ppm", "webp"])
def test_other_lossless_formats(tmp_path: Path, ending: str) -> None:
    options = {"lossless": True} if ending == "webp" else {}
    assert (read_rgb(written(tmp_path / f"a.{ending}", Image.fromarray(COLOURS), **options)) == COLOURS).all()


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    image = read_rgb(written(tmp_path / "a.png", Image.fromarray(COLOURS[:, :, 0])))
    assert (image == COLOURS[:, :, :1]).all()
    assert image.shape == COLOURS.shape


def test_black_and_white_becomes_0_and_255(tmp_path: Path) -> None:
    image = read_rgb(written(tmp_path / "a.png", Image.fromarray(COLOURS[:, :, 0] > 127)))
    assert (image[:, :, 0] == np.where(COLOURS[:, :, 0] > 127, 255, 0)).all()


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path, ending: str) -> None:
    deep = np.array([[0, 257, 32768], [65535, 65278, 128]], dtype=np.uint16)
    image = read_rgb(written(tmp_path / f"a.{ending}", Image.fromarray(deep)))
    assert image[:, :, 1].tolist() == [[0, 1, 128], [255, 254, 0]]


def test_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [2, 1]], dtype=np.uint8), "L").convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert read_rgb(written(tmp_path / "a.png", picture)).tolist() == [
        [[10, 20, 30], [40, 50, 60]],
        [[70, 80, 90], [40, 50, 60]],
    ]


def test_transparency_lies_over_black(tmp_path: Path) -> None:
    pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 128]]], dtype=np.uint8)
    image = read_rgb(written(tmp_path / "a.png", Image.fromarray(pixels)))
    assert image[0, :2].tolist() == [[200, 100, 50], [0, 0, 0]]
    assert image[0, 2] == pytest.approx([100, 50, 25], abs=1)


def test_transparent_palette_entry_lies_over_black(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), "L").convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60])
    image = read_rgb(written(tmp_path / "a.png", picture, transparency=0))
    assert image.tolist() == [[[0, 0, 0], [40, 50, 60]]]


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_exif_rotation_is_applied(tmp_path: Path, ending: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    blocks = np.zeros((16, 32, 3), dtype=np.uint8)
    blocks[:, :16] = 255
    image = read_rgb(written(tmp_path / f"a.{ending}", Image.fromarray(blocks), exif=exif))
    assert image.shape == (32, 16, 3)
    assert image[4, 8].min() > 200
    assert image[28, 8].max() < 50


def test_first_frame_of_several_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("white", "black")]
    path = written(tmp_path / "a.tif", frames[0], save_all=True, append_images=frames[1:])
    assert read_rgb(path).min() == 255


def test_cmyk_is_converted(tmp_path: Path) -> None:
    image = read_rgb(written(tmp_path / "a.tif", Image.new("CMYK", (3, 2), (0, 0, 0, 0))))
    assert image.shape == (2, 3, 3)
    assert image.min() == 255


def test_floating_point_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", Image.fromarray(np.ones((2, 2), dtype=np.float32)))
    with pytest.raises(DataError, match=r"value range[\s\S]*8 or 16 bits"):
        read_rgb(path)


def test_32_bit_values_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", Image.fromarray(np.array([[0, 70000]], dtype=np.int32)))
    with pytest.raises(DataError, match="70000"):
        read_rgb(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.png cannot be read"):
        read_rgb(tmp_path / "absent.png")


@pytest.mark.parametrize("data", [b"", b"not an image", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_image_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
        read_rgb(tmp_path / "a.png")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_cut_file_is_refused(tmp_path: Path, share: float) -> None:
    path = written(tmp_path / "a.png", Image.fromarray(np.repeat(np.repeat(COLOURS, 30, 0), 30, 1)))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="cannot be read"):
        read_rgb(path)


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG whose header promises that size, with no pixels behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_100, 12_000, 60_000])
@pytest.mark.filterwarnings("error")
def test_huge_image_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    (tmp_path / "a.png").write_bytes(huge_png(side, side))
    with pytest.raises(DataError, match=r"a\.png (is too large|cannot be read[\s\S]*decompression bomb)"):
        read_rgb(tmp_path / "a.png")


def test_the_limit_is_what_the_message_says(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(huge_png(10_000, 10_001))
    with pytest.raises(DataError, match=f"at most {MAX_MEGAPIXELS:g} megapixels"):
        read_rgb(tmp_path / "a.png")


OTHERS = {
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(made) run\nshowpage\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>made()</script></svg>",
    "psd": b"8BPS\0\x01" + b"\0" * 6 + b"\0\x03" + b"\0\0\0\x09" * 2 + b"\0\x08\0\x03" + b"\0" * 20,
    "pdf": b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n",
    "wmf": b"\xd7\xcd\xc6\x9a" + b"\0" * 40,
    "ico": b"\0\0\x01\0\x01\0\x01\x01\0\0\x01\0\x18\0" + b"\0" * 60,
    "dds": b"DDS |\0\0\0" + b"\0" * 120,
    "fli": b"\x20\0\0\0\x11\xaf" + b"\x01\0" * 61,
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("ending", ["png", None])
def test_formats_that_nobody_photographs_in_are_not_opened(tmp_path: Path, kind: str, ending: str | None) -> None:
    path = tmp_path / f"a.{ending or kind}"
    path.write_bytes(OTHERS[kind])
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_rgb(path)


def test_a_polyglot_is_the_image_that_it_begins_as(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", Image.fromarray(COLOURS))
    path.write_bytes(path.read_bytes() + b"PK\x03\x04<script>made()</script>%PDF-1.7")
    np.testing.assert_array_equal(read_rgb(path), COLOURS)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_of_no_pixels_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.png").write_bytes(huge_png(*size))
    with pytest.raises(DataError):
        read_rgb(tmp_path / "a.png")
    (tmp_path / "a.ppm").write_bytes(b"P6 %d %d 255\n" % size)
    with pytest.raises(DataError):
        read_rgb(tmp_path / "a.ppm")


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    assert read_rgb(written(tmp_path / "a.png", Image.new("L", (1, 1), 7))).tolist() == [[[7, 7, 7]]]


def test_grey_with_transparency_lies_over_black(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", Image.new("LA", (2, 1), (200, 0)))
    assert read_rgb(path).max() == 0


def test_text_that_unpacks_to_more_than_an_image_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    whole = written(tmp_path / "a.png", Image.fromarray(COLOURS)).read_bytes()
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * (1 << 27), 9))
    (tmp_path / "a.png").write_bytes(whole[:33] + bomb + whole[33:])
    with pytest.raises(DataError, match=r"a\.png cannot be read"):
        read_rgb(tmp_path / "a.png")


def test_exif_that_is_none_is_refused_or_left_alone(tmp_path: Path) -> None:
    for number, exif in enumerate([b"Exif\0\0" + b"\xff" * 200, b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0"]):
        path = written(tmp_path / f"{number}.jpg", Image.fromarray(COLOURS), exif=exif)
        try:
            assert read_rgb(path).shape == COLOURS.shape
        except DataError:
            continue
