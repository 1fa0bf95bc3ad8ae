"""The photographs that pairs are drawn over are files of scikit-image's wheel."""

from __future__ import annotations

from importlib.resources import files

import pytest

from enginewright.config.photographs import PHOTOGRAPHS, check_photographs
from enginewright.errors import ConfigError


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
