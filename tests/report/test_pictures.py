from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enginewright.errors import DataError
from enginewright.report.pictures import pictures_in


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_every_png_below_the_folder_in_order_with_its_path_as_title(tmp_path: Path) -> None:
    for name in ("matches/two_b.png", "matches/one.png", "curve.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 3)).save(tmp_path / name)
    (tmp_path / "errors.json").write_text("{}")
    assert [one.title for one in pictures_in(tmp_path)] == ["curve", "matches: one", "matches: two b"]
    assert {(one.width, one.height) for one in pictures_in(tmp_path)} == {(4, 3)}


def test_photograph_becomes_smaller_and_stays_alike(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    noise = np.random.default_rng(0).integers(0, 8, size=(200, 300, 3))
    photograph = (np.stack([rows / 2, columns / 2, rows / 4 + columns / 4], axis=2) + noise).astype(np.uint8)
    Image.fromarray(photograph).save(tmp_path / "a.png")
    (one,) = pictures_in(tmp_path)
    assert one.uri.startswith("data:image/webp;base64,")
    assert len(one.uri) < (tmp_path / "a.png").stat().st_size / 2
    assert np.abs(np.asarray(decoded(one.uri).convert("RGB")).astype(int) - photograph).mean() < 6


def test_what_is_smaller_as_it_is_stays_as_it_is(tmp_path: Path) -> None:
    lines = np.zeros((200, 300), dtype=bool)
    lines[::7] = lines[:, ::5] = True
    Image.fromarray(lines).save(tmp_path / "a.png")
    (one,) = pictures_in(tmp_path)
    assert one.uri == f"data:image/png;base64,{base64.b64encode((tmp_path / 'a.png').read_bytes()).decode()}"


def test_no_folder_is_no_pictures(tmp_path: Path) -> None:
    assert pictures_in(tmp_path / "absent") == []


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_broken_picture_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.png is no picture"):
        pictures_in(tmp_path)
