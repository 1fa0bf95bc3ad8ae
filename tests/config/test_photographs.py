"""The photographs that pairs are drawn over are files of scikit-image's wheel."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
import yaml

from enginewright.config.photographs import PHOTOGRAPHS, check_photographs
from enginewright.errors import ConfigError
from tests.config.routes import CONF


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_each_one_lies_in_the_wheel_so_that_nothing_is_downloaded(name: str) -> None:
    folder = files("skimage.data")
    assert any((folder / f"{name}.{suffix}").is_file() for suffix in ("png", "jpg", "gif", "tif"))


def test_the_names_are_sorted_and_told_once() -> None:
    assert sorted(set(PHOTOGRAPHS)) == list(PHOTOGRAPHS)


def test_any_of_them_once_and_none_at_all_are_fine() -> None:
    check_photographs(PHOTOGRAPHS)
    check_photographs([])


@pytest.mark.parametrize(("names", "got"), [(["astronot"], "astronot"), (["coffee", "coffee"], "coffee")])
def test_an_unknown_and_a_repeated_one(names: list[str], got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_photographs(names)
    assert got in str(caught.value.got)
    assert "astronaut" in str(caught.value.expected)


def test_no_name_could_reach_out_of_the_folder() -> None:
    """Names become parts of paths and of pairs' names."""
    assert all(re.fullmatch(r"[a-z_]+", name) for name in PHOTOGRAPHS)


def test_the_defaults_of_conf_are_among_them() -> None:
    values = yaml.safe_load((CONF / "data" / "scikit_image.yaml").read_text(encoding="utf-8"))
    assert values["photographs"]
    check_photographs(values["photographs"])
