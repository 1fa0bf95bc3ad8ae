"""Schemas of frozen dataclasses that can be merged into, however deep."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import ConfigKeyError, ReadonlyConfigError, ValidationError

from enginewright.config.network import SECTIONS, NetworkConfig
from enginewright.config.schema import schema_of


@dataclass(frozen=True)
class Inner:
    """A frozen section."""

    number: int = 1


@dataclass(frozen=True)
class Outer:
    """A frozen dataclass with a section, one that must be given, and one that may be absent."""

    given: Inner = MISSING
    inner: Inner = field(default_factory=Inner)
    absent: Inner | None = None


def test_what_is_frozen_could_not_be_merged_into_without_it() -> None:
    with pytest.raises(ReadonlyConfigError):
        OmegaConf.merge(OmegaConf.structured(Outer), {"inner": {"number": 2}})


def test_nested_sections_take_values() -> None:
    merged = OmegaConf.merge(schema_of(Outer), {"inner": {"number": 2}, "given": {"number": 3}})
    assert OmegaConf.to_object(merged) == Outer(given=Inner(3), inner=Inner(2))


def test_a_section_that_must_be_given_has_its_schema_too() -> None:
    with pytest.raises(ConfigKeyError, match="Key 'nmber' not in 'Inner'"):
        OmegaConf.merge(schema_of(Outer), {"given": {"nmber": 3}})


@pytest.mark.parametrize("section", ["inner", "given"])
def test_types_still_hold(section: str) -> None:
    with pytest.raises(ValidationError, match="could not be converted to Integer"):
        OmegaConf.merge(schema_of(Outer), {section: {"number": "x"}})


def test_what_may_be_absent_stays_absent() -> None:
    assert schema_of(Outer).absent is None


def test_each_call_gives_a_schema_of_its_own() -> None:
    first = schema_of(Outer)
    first.inner.number = 7
    assert schema_of(Outer).inner.number == 1


@pytest.mark.parametrize("cls", [NetworkConfig, *SECTIONS.values()])
def test_the_real_dataclasses_refuse_an_unknown_key(cls: type) -> None:
    with pytest.raises(ConfigKeyError, match=f"Key 'nosuch' not in '{cls.__name__}'"):
        OmegaConf.merge(schema_of(cls), {"nosuch": 1})
