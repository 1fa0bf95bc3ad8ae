"""The error curves as DVC reads them."""

from __future__ import annotations

import json

from enginewright.comparing.curves import curves_json

ROWS = [
    {"series": "typed y", "quantile": 0.5, "error": 1e-6},
    {"series": "typed y", "quantile": 1.0, "error": 2e-6},
]


def test_points_are_written_in_order_and_read_back() -> None:
    data = curves_json(ROWS)
    assert json.loads(data) == ROWS
    assert data.endswith(b"\n")


def test_the_same_points_are_the_same_bytes() -> None:
    turned = [dict(reversed(row.items())) for row in ROWS]
    assert curves_json(turned) == curves_json(ROWS)


def test_no_points_are_an_empty_list() -> None:
    assert json.loads(curves_json([])) == []
