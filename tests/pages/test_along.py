from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from enginewright.pages.along import error_chart, range_chart
from tests.pages.sample import HOSTILE


def tensors(*overs: float) -> list[dict[str, Any]]:
    return [
        {"tensor": f"t{at}", "position": at, "over": over, "fault": "overflow" if over > 1 else ""}
        for at, over in enumerate(overs)
    ]


def test_ranges_are_told_in_words_with_the_worst_by_name() -> None:
    chart = range_chart("disk", tensors(0.1, 49.2, 0.0))
    assert chart is not None
    assert "The largest is 49.2 of its format's limit, at t1; 1 of them does not fit." in chart.text
    assert 'role="img"' in chart.wide
    assert "aria-roledescription" not in chart.wide


def test_ranges_that_all_fit_are_said_to_fit() -> None:
    chart = range_chart("disk", tensors(0.1, 0.2))
    assert chart is not None
    assert chart.text.endswith("at t1; all of them fit.")


def test_nothing_reduced_is_no_plot() -> None:
    assert range_chart("disk", []) is None
    assert range_chart("disk", [{"over": float("nan")}, {"over": None}]) is None


def curve(series: str, *errors: float | None) -> list[dict[str, Any]]:
    return [{"series": series, "quantile": at / 10, "error": error} for at, error in enumerate(errors)]


def test_graphs_that_agree_share_a_curve() -> None:
    rows = curve("exported scores", 0, 1e-6) + curve("typed scores", 0, 1e-6) + curve("typed valid", 0, 0)
    chart = error_chart("disk", rows)
    assert chart is not None
    assert "quantile, 1 curve." in chart.text
    assert chart.text.endswith("is 1e-06, of scores (exported, typed). No error at all: valid (typed).")


def test_errors_that_are_no_numbers_are_left_out() -> None:
    assert error_chart("disk", curve("typed scores", None, float("inf"))) is None
    assert error_chart("disk", []) is None
    assert error_chart("disk", curve("typed valid", 0, 0)) is None


def test_names_of_outputs_stay_text_and_what_no_xml_may_hold_is_left_out() -> None:
    chart = error_chart("disk", curve(f"typed {HOSTILE}\x00\x1b", 0, 1e-6))
    assert chart is not None
    assert "<img" not in chart.wide
    ElementTree.fromstring(chart.wide)  # noqa: S314 (our own)
