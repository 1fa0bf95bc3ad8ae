"""A network's sections, the axes that fill them, and the names that may reach a command line."""

from __future__ import annotations

import dataclasses
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.config.network import AXES, SECTIONS, NetworkConfig, check_name
from enginewright.errors import ConfigError
from tests.config.routes import CONF

FACTS = {"extractor", "extractor_adapter", "model"}


def test_every_section_of_a_network_is_known_with_its_dataclass() -> None:
    assert {item.name for item in dataclasses.fields(NetworkConfig)} == FACTS | set(SECTIONS)


def test_every_section_but_the_checkpoint_is_filled_by_one_axis() -> None:
    sections = [section for section, _ in AXES.values()]
    assert len(set(sections)) == len(sections)
    assert set(SECTIONS) == {"checkpoint", *sections}


def test_each_axis_fills_its_section_with_the_dataclass_of_that_section() -> None:
    defaults: dict[str, object] = {item.name: item.default_factory for item in dataclasses.fields(NetworkConfig)}
    for section, cls in AXES.values():
        assert SECTIONS[section] is cls
        assert defaults[section] is cls


def test_each_axis_has_a_folder_in_conf_and_each_folder_is_an_axis() -> None:
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    assert folders - {"network", "experiment", "budget"} == set(AXES)


@pytest.mark.parametrize("name", ["disk", "disk_lightglue", "a", "net2", "a" * 41])
def test_plain_words_are_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Disk",
        "2disk",
        "_disk",
        "disk-2",
        "disk 2",
        "disk;id",
        "$(id)",
        "`id`",
        "../x",
        "a/b",
        "a.b",
        "a" * 42,
        "a\n",
    ],
)
def test_everything_else_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_name(name)
    assert "lower-case letters, digits and _" in str(caught.value)
    assert caught.value.got == name


@given(st.text(max_size=50))
def test_a_name_that_passes_is_one_word_to_the_shell_and_one_part_of_a_path(name: str) -> None:
    try:
        check_name(name)
    except ConfigError:
        return
    assert shlex.split(name) == [name]
    assert shlex.quote(name) == name
    assert "/" not in name
    assert "." not in name
