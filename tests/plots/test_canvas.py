from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib as mpl
from PIL import Image

from enginewright.plots.canvas import png_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(figure: Figure) -> None:
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1, 2], [1, 0, 3], label="line")
    axes.legend()


def test_size_is_in_pixels() -> None:
    image = Image.open(io.BytesIO(png_of(320, 200, draw)))
    assert image.size == (320, 200)
    assert image.format == "PNG"


def test_same_drawing_gives_the_same_bytes() -> None:
    assert png_of(320, 200, draw) == png_of(320, 200, draw)


def test_settings_of_the_user_change_nothing() -> None:
    plain = png_of(320, 200, draw)
    with mpl.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "axes.facecolor": "red", "savefig.dpi": 7}):
        assert png_of(320, 200, draw) == plain
        assert mpl.rcParams["font.size"] == 30.0


def test_no_version_and_no_time_is_inside() -> None:
    assert not any(key in Image.open(io.BytesIO(png_of(99, 99, draw))).info for key in ("Software", "Creation Time"))
