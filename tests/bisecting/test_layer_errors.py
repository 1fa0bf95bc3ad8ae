"""The error of every tensor, and the rows that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from enginewright.bisecting.layer_errors import errors_along, relative_error, rows_of
from enginewright.rehearsing.gate import tensors_in
from tests.bisecting.cases import GATE
from tests.rehearsing.graphs import mean_square, reference

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("exact", "low", "error"),
    [
        ([3.0, 4.0], [3.0, 4.0], 0.0),
        ([3.0, 4.0], [3.0, 4.5], 0.1),
        ([1.0, 2.0], [1.0, INF], INF),
        ([1.0, 2.0], [NAN, 2.0], INF),
        ([-INF, 4.0], [-INF, 5.0], 0.25),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 0.0], [0.0, 1.0], INF),
        ([], [], 0.0),
    ],
)
def test_relative_error(exact: list[float], low: list[float], error: float) -> None:
    assert relative_error(np.array(exact), np.array(low)) == pytest.approx(error)


def test_an_error_begins_where_the_square_overflows() -> None:
    found = errors_along(mean_square(), reference(1450.0))
    assert list(found) == ["x_low", "square", "mean/sum", "mean/count", "mean", "root", "quotient", "y"]
    assert 0 < found["x_low"] < 1e-3
    assert found["square"] == found["mean"] == found["root"] == INF
    assert found["quotient"] == found["y"] == 1.0, "x / Inf is 0 where all of it should be"


def test_where_all_fits_errors_stay_at_a_step_of_the_format() -> None:
    found = errors_along(mean_square(), reference(100.0))
    assert max(found.values()) < 1e-3


def test_rows_name_node_module_and_fault_and_hold_no_infinity() -> None:
    tensors = tensors_in(mean_square(), {}, reference(1450.0), GATE)
    rows = rows_of(mean_square(), {"x_low": 1e-4, "square": INF}, {"square": "norm"}, tensors)
    assert rows[0] == {
        "position": 0,
        "tensor": "x_low",
        "node": "down",
        "operator": "Cast",
        "module": "",
        "error": 1e-4,
        "fault": "",
    }
    assert (rows[1]["error"], rows[1]["module"]) == (None, "norm")
    assert rows[1]["fault"].startswith("overflow")
