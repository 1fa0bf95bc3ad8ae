"""The parts, by name: budgets are of parts that there are, and every part has what the table needs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.budgets import BUDGETS
from benchmarks.changes import DEPTHS
from benchmarks.parts import GROUPS, named
from benchmarks.place import Place
from benchmarks.table import ORDER
from enginewright.config.composed import plain

PLACE = Place(Path("nowhere"))


def test_every_budget_is_of_a_part_that_is_measured_with_those_judged() -> None:
    judged = {part.name for part in named(PLACE, ["judged"])}
    assert {key.partition(".")[0] for key in BUDGETS} == judged


def test_names_are_distinct_and_each_has_its_place_in_the_table() -> None:
    names = [part.name for part in named(PLACE, ["all"])]
    assert len(set(names)) == len(names)
    assert {name.partition("_")[0] for name in names} == set(ORDER)


def test_a_part_that_is_named_twice_is_measured_once() -> None:
    assert len(named(PLACE, ["cold", "judged", "cold"])) == len(named(PLACE, GROUPS["judged"]))


def test_every_change_composes_and_changes_the_configuration() -> None:
    default = plain([])["networks"]
    assert all(plain([override])["networks"] != default for override in DEPTHS.values())
