from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from enginewright.plots.layer_errors import layer_errors_picture


def row(position: int, error: float | None, module: str = "", fault: str = "") -> dict[str, Any]:
    return {"position": position, "error": error, "module": module, "fault": fault}


ROWS = [row(0, 1e-4, "a"), row(1, 0.0, "a"), row(2, None, "b.norm", "overflow: ..."), row(3, 0.5, "c")]


def colours(rows: list[dict[str, Any]]) -> set[tuple[int, ...]]:
    pixels = np.asarray(Image.open(io.BytesIO(layer_errors_picture("title", rows))).convert("RGB"))
    return {tuple(map(int, colour)) for colour in np.unique(pixels.reshape(-1, 3), axis=0)}


def test_faulty_tensors_are_marked_in_red() -> None:
    red = (0xD5, 0x5E, 0x00)
    assert red in colours(ROWS)
    assert red not in colours([item | {"fault": ""} for item in ROWS])


def test_the_same_rows_give_the_same_bytes() -> None:
    assert layer_errors_picture("title", ROWS) == layer_errors_picture("title", ROWS)


@pytest.mark.parametrize("rows", [[], [row(0, None)], [row(0, 0.0)], [row(n, 1e-3, f"m.{n}") for n in range(500)]])
def test_any_rows_can_be_drawn(rows: list[dict[str, Any]]) -> None:
    assert Image.open(io.BytesIO(layer_errors_picture("title", rows))).size == (1100, 520)
