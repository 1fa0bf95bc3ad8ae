from __future__ import annotations

from xml.etree import ElementTree

import pytest

from enginewright.pages.costs import LATENCY
from enginewright.pages.pareto import Board, boards, spoken
from enginewright.pages.variant import Proof, Variant
from tests.pages.sample import DEVICE, HOSTILE, broken, measured, variant

VARIANTS = (
    measured("fast", 3.0, 99, graph_mb=20.0),
    measured("whole", 5.0, graph_mb=40.0),
    broken("lost", latency_ms=2.0, kept=10, graph_mb=20.0, source=DEVICE, device=DEVICE),
    variant("rehearsed", kept=98, proof=Proof.rehearsed, graph_mb=20.5),
)


def drawn(*variants: Variant) -> list[Board]:
    return boards(variants, {one: f"variant-{number}" for number, one in enumerate(variants)})


@pytest.fixture(scope="module")
def board() -> Board:
    (found,) = drawn(*VARIANTS)
    return found


def points(svg: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == "point"]  # noqa: S314 (our own)


def test_there_is_a_plot_for_each_cost_that_is_known(board: Board) -> None:
    assert [chart.key for chart in board.charts] == ["latency", "graph"]
    assert [len(points(chart.wide)) for chart in board.charts] == [3, 4]
    assert [len(points(chart.narrow)) for chart in board.charts] == [3, 4]


def test_every_point_is_read_aloud_and_knows_its_row(board: Board) -> None:
    names = [(one.get("data-row"), one.get("aria-label")) for one in points(board.charts[0].wide)]
    assert names == [(f"variant-{number}", spoken(one, LATENCY)) for number, one in enumerate(VARIANTS[:3])]
    assert names[0][1] == f"fast, {DEVICE}: Latency 3.00 ms; 99 of 100 matches kept, 99.0 %; passed on a GPU"


def test_one_point_is_a_tab_stop_and_the_others_are_reached_from_it(board: Board) -> None:
    assert [one.get("tabindex") for one in points(board.charts[1].wide)] == ["0", "-1", "-1", "-1"]


def test_what_stands_higher_keeps_more_and_what_stands_left_costs_less(board: Board) -> None:
    at = {}
    for one, name in zip(points(board.charts[0].wide), ("fast", "whole", "lost"), strict=True):
        x, y = (one.get("transform") or "").removeprefix("translate(").rstrip(")").split(",")
        at[name] = (float(x), float(y))
    assert at["lost"][0] < at["fast"][0] < at["whole"][0]
    assert at["lost"][1] > at["fast"][1] > at["whole"][1]


def test_the_front_is_named_in_words_and_in_bold(board: Board) -> None:
    assert board.charts[0].text.endswith("No other beats fast, whole.")
    marks = ElementTree.fromstring(board.charts[0].wide).iter()  # noqa: S314 (our own)
    bold = [one for one in marks if one.get("font-weight") == "bold"]
    assert {one.text for one in bold} == {"fast", "whole"}


def test_colours_are_those_of_the_page_so_that_it_can_be_dark(board: Board) -> None:
    assert "var(--passed)" in board.charts[0].wide
    assert "var(--failed)" in board.charts[0].wide
    assert "#000" not in board.charts[0].wide


def test_an_unproven_variant_is_told_apart_by_its_shape(board: Board) -> None:
    shapes = [one.get("d") for one in points(board.charts[1].wide)]
    assert shapes[0] == shapes[1]
    assert len(set(shapes)) == 3
    assert points(board.charts[1].wide)[3].get("fill") == "var(--paper)"


def test_variants_that_were_judged_on_other_matches_stand_on_another_board() -> None:
    other = variant("other", network="another", graph_mb=1.0)
    assert [board.title for board in drawn(*VARIANTS, other)] == [
        "disk_lightglue, 100 matches of the original",
        "another, 100 matches of the original",
    ]


def test_nothing_to_draw_is_no_board() -> None:
    assert drawn() == []
    assert drawn(variant("a", kept=None, graph_mb=1.0)) == []


def test_names_stay_text() -> None:
    (board,) = drawn(measured(HOSTILE, 3.0))
    assert "<img" not in board.charts[0].wide
    assert "</script" not in board.charts[0].wide
    assert HOSTILE in (points(board.charts[0].wide)[0].get("aria-label") or "")


def test_the_same_variants_give_the_same_plot(board: Board) -> None:
    assert drawn(*VARIANTS) == [board]
