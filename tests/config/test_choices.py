"""Choices: what a user types is the name, and the name is the value, in every file that either reaches."""

from __future__ import annotations

import re
from enum import Enum

import pytest
import yaml
from omegaconf import EnumNode, OmegaConf
from omegaconf.errors import ValidationError

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


@pytest.mark.parametrize(("cls", "folder"), FOLDERS.items())
def test_a_file_sets_the_choice_that_it_is_named_after(cls: type[Enum], folder: str) -> None:
    """So that `precision=fp16` cannot compose anything but fp16."""
    for choice in cls:
        values = yaml.safe_load((CONF / folder / f"{choice.name}.yaml").read_text(encoding="utf-8"))
        assert choice.name in values.values()


def test_both_gates_are_offered_by_both_stages_that_have_one() -> None:
    for folder in ("compare", "match"):
        assert {path.stem for path in (CONF / folder).glob("*.yaml")} == {gate.name for gate in choices.Gate}


@pytest.mark.parametrize("cls", ENUMS)
def test_a_word_that_is_no_choice_is_refused_with_those_that_are(cls: type[Enum]) -> None:
    node = OmegaConf.create({})
    node._set_item_impl("key", EnumNode(enum_type=cls, value=next(iter(cls))))
    with pytest.raises(ValidationError, match=", ".join(choice.name for choice in cls)):
        node.key = "nosuch"


@pytest.mark.parametrize("cls", ENUMS)
def test_a_choice_leaves_a_configuration_as_its_name(cls: type[Enum]) -> None:
    """params.yaml must hold words, not Python's tags."""
    for choice in cls:
        assert OmegaConf.to_yaml(OmegaConf.create({"key": choice})) == f"key: {choice.name}\n"
