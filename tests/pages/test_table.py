from __future__ import annotations

import pytest

from enginewright.pages import table
from enginewright.pages.sweep import STATES
from enginewright.pages.unproven import gaps_of
from enginewright.pages.variant import Variant
from tests.pages.sample import NO_GPU, broken, measured, variant


def titles(*variants: Variant) -> list[str]:
    return [column.title for column in table.columns_for(variants)]


def test_figures_that_no_variant_has_have_no_column() -> None:
    assert "Latency" not in titles(variant("a"))
    assert "Latency" in titles(variant("a"), measured("b", 3.0))
    assert "Network" not in titles(variant("a"))
    assert "Network" in titles(variant("a"), variant("b", network="other"))


def test_a_row_has_a_cell_for_each_column_and_what_filters_read() -> None:
    one = measured("a", 3.0, opset="20")
    columns = table.columns_for([one])
    (row,) = table.rows_of([one], columns, {one: "variant-1"}, {}, [one])
    assert len(row.cells) == len(columns)
    assert row.best
    assert dict(row.data).items() >= {"precision": "fp32", "opset": "20", "gates": "passed"}.items()
    cells = {column.title: cell for column, cell in zip(columns, row.cells, strict=True)}
    assert (cells["Latency"].text, cells["Latency"].value) == ("3.00 ms", "3.0")
    assert (cells["Gates"].text, cells["Gates"].badge) == ("passed", "passed")


def test_a_reason_stands_in_its_row() -> None:
    one = broken("a", "it burnt")
    columns = table.columns_for([one])
    (row,) = table.rows_of([one], columns, {one: "variant-1"}, {}, [])
    assert [cell.text for cell in row.cells if cell.long] == ["it burnt"]


def test_only_what_offers_a_choice_is_a_filter() -> None:
    assert table.filters_for([variant("a")]) == []
    (found,) = table.filters_for([variant("a"), variant("b", precision="fp16")])
    assert found == ("precision", "precision", ["fp16", "fp32"])


def test_what_came_through_stands_first() -> None:
    variants = [broken("a"), variant("b", state="refused"), variant("c")]
    assert [one.name for one in table.order(variants)] == ["c", "b", "a"]


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words_and_a_meaning(state: str) -> None:
    words = table.WORDS[state]
    assert words in dict(table.GLOSSARY) or state == "pending"


def test_gaps_are_told_by_reason_the_commonest_first() -> None:
    gap = (("disk, build", "no GPU"),)
    gaps = gaps_of([variant("a", unproven=gap), variant("b", unproven=(*gap, ("disk, match", "no pairs")))])
    assert [(one.reason, one.what, len(one.variants)) for one in gaps] == [
        ("no GPU", ("disk, build",), 2),
        ("no pairs", ("disk, match",), 1),
    ]


def test_what_was_never_started_is_a_gap_and_what_failed_is_none() -> None:
    gaps = gaps_of([variant("a", state="refused", reason="no fp8 here", gates=NO_GPU), broken("b")])
    assert [(one.reason, one.what) for one in gaps] == [("no fp8 here", ("disk_lightglue: refused",))]
    assert gaps_of([]) == []
