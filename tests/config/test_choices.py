"""Choices: what a user types is the name, and the name is the value, in every file that either reaches."""

from __future__ import annotations

import re
from enum import Enum

import pytest

from enginewright.config import choices
from tests.config.routes import CONF

ENUMS = [value for value in vars(choices).values() if isinstance(value, type) and issubclass(value, Enum)]
ENUMS.remove(Enum)

FOLDERS = {
    choices.Exporter: "export",
    choices.Precision: "precision",
    choices.Builder: "builder",
    choices.Form: "layernorm",
    choices.Simplifier: "simplify",
    choices.DataSource: "data",
    choices.Gate: "compare",
}


@pytest.mark.parametrize("cls", ENUMS)
def test_the_name_is_the_value_so_that_both_spellings_are_one(cls: type[Enum]) -> None:
    assert [choice.name for choice in cls] == [choice.value for choice in cls]


@pytest.mark.parametrize("cls", ENUMS)
def test_names_are_plain_words_that_may_stand_in_file_names(cls: type[Enum]) -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", choice.name) for choice in cls)
    assert cls.__doc__


@pytest.mark.parametrize(("cls", "folder"), FOLDERS.items())
def test_every_choice_has_a_file_in_conf_and_every_file_is_a_choice(cls: type[Enum], folder: str) -> None:
    assert {path.stem for path in (CONF / folder).glob("*.yaml")} == {choice.name for choice in cls}
