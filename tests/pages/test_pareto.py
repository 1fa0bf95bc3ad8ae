from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from enginewright.pages.costs import LATENCY
from enginewright.pages.evidence import Evidence
from enginewright.pages.looks import legend
from enginewright.pages.pareto import Board, boards
from enginewright.pages.point_names import spoken
from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import PASSED
from tests.pages.sample import DEVICE, HOSTILE, broken, measured, variant

VARIANTS = (
    measured("fast", 3.0, 99, graph_mb=20.0),
    measured("whole", 5.0, graph_mb=40.0),
    broken("lost", latency_ms=2.0, kept=10, graph_mb=20.0, source=DEVICE, device=DEVICE),
    variant("rehearsed", kept=98, proof=Proof.rehearsed, graph_mb=20.5),
)


def drawn(*variants: Variant, advised: tuple[Variant, ...] = ()) -> list[Board]:
    return boards(variants, {one: f"variant-{number}" for number, one in enumerate(variants)}, advised)


def names(svg: str) -> dict[str, ElementTree.Element]:
    """Return the names that are written beside points."""
    found = (one for one in ElementTree.fromstring(svg).iter() if one.get("class") == "name")  # noqa: S314 (our own)
    return {one.text or "": one for one in found}


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
    alone = replace(LATENCY, title="Latency of disk_lightglue alone, ms")
    names = [(one.get("data-row"), one.get("aria-label")) for one in points(board.charts[0].wide)]
    assert names == [(f"variant-{number}", spoken(one, alone)) for number, one in enumerate(VARIANTS[:3])]
    assert names[0][1] == (
        f"fast, {DEVICE}: Latency of disk_lightglue alone 3.00 ms; 99 of 100 matches kept, 99.0 %; "
        "its graph passed on a GPU, in ONNX Runtime; no engine ran"
    )


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
    assert "var(--link)" in board.charts[0].wide
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
        f"disk_lightglue ({DEVICE}, elsewhere, sweep): 100 matches of the original",
        "another (sweep): 100 matches of the original",
    ]


def test_variants_that_were_judged_on_another_size_stand_on_another_board() -> None:
    small = variant("small", graph_mb=1.0, evidence=Evidence(1, 128, 128, 64))
    large = variant("large", graph_mb=1.0, evidence=Evidence(4, 512, 512, 1024))
    assert len(drawn(small, large)) == 2
    assert drawn(small)[0].title.endswith("1 pair, 128 x 128 px, 64 keypoints per image")


def rehearsed(name: str, precision: str, engine_mb: float, kept: int) -> Variant:
    return variant(name, kept=kept, proof=Proof.rehearsed, precision=precision, engine_mb=engine_mb)


def test_what_is_rehearsed_is_emphasised_only_where_all_of_its_precision_did_well() -> None:
    proven = variant("proven", engine_mb=60.0)
    lucky, poor = rehearsed("lucky", "bf16", 41.5, 100), rehearsed("poor", "bf16", 41.4, 91)
    (board,) = drawn(proven, lucky, poor, rehearsed("well", "fp16", 42.0, 100))
    assert "No other beats well." in board.charts[0].text
    bold = {text for text, one in names(board.charts[0].wide).items() if one.get("font-weight") == "bold"}
    assert bold == {"well"}


def test_the_recommended_variant_is_ringed_named_and_read_aloud() -> None:
    one, other = variant("one", engine_mb=60.0), variant("other", engine_mb=40.0, kept=99)
    (board,) = drawn(one, other, advised=(one,))
    for svg in (board.charts[0].wide, board.charts[0].narrow):
        rings = [it for it in ElementTree.fromstring(svg).iter() if it.get("class") == "ring"]  # noqa: S314 (our own)
        assert [ring.get("data-row") for ring in rings] == ["variant-0"]
        assert names(svg)["one, recommended"].get("font-weight") == "bold"
        assert [", recommended:" in (point.get("aria-label") or "") for point in points(svg)] == [True, False]
    assert board.charts[0].text.endswith("Recommended: one.")


def test_points_in_one_place_share_a_name_so_that_none_is_left_out() -> None:
    (board,) = drawn(*(variant(f"opset_{opset}-fp32", engine_mb=60.0) for opset in (18, 20, 21, 22)))
    for svg in (board.charts[0].wide, board.charts[0].narrow):
        (found,) = names(svg).items()
        assert found[0] == "opset_{18,20,21,22}-fp32"
        assert found[1].get("data-row") == "variant-0 variant-1 variant-2 variant-3"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (measured("a", 1.0), "its graph passed on a GPU, in ONNX Runtime; no engine ran"),
        (variant("a"), "its graph passed on a CPU; its engine was not run"),
        (variant("a", proof=Proof.engine, gates=PASSED), "its engine passed on a GPU"),
        (variant("a", proof=Proof.rehearsed), "only rehearsed, not proven"),
        (variant("a", proof=Proof.nothing), "nothing proven"),
        (broken("a", proof=Proof.graph), "a gate was breached"),
    ],
)
def test_the_legend_says_what_passed_and_where(one: Variant, words: str) -> None:
    assert [look.words for look in legend([one])] == [words]


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
