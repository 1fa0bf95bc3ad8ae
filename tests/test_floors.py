"""The locked versions are free of the holes that are known of them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.version import Version

from tests.dag import ROOT

_FLOOR = re.compile(r"([a-z0-9-]+)>=([0-9.]+)")
_LINES = (ROOT / "requirements" / "floors.txt").read_text(encoding="utf-8").splitlines()
FLOORS = {found[1]: found[2] for line in _LINES if (found := _FLOOR.fullmatch(line))}


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {name.lower().replace("_", "-"): found for name, _, found in pins}


def test_every_line_is_a_comment_or_a_floor() -> None:
    assert [line for line in _LINES if line and not line.startswith("#") and not _FLOOR.fullmatch(line)] == []
    assert len(FLOORS) >= 20


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_the_lock_is_at_or_above_each_floor(name: str) -> None:
    assert Version(locked()[name]) >= Version(FLOORS[name])


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_so_is_what_is_installed_here(name: str) -> None:
    try:
        found = version(name)
    except PackageNotFoundError:
        return
    assert Version(found) >= Version(FLOORS[name])


def test_each_floor_says_which_hole_it_closes() -> None:
    for number, line in enumerate(_LINES):
        if _FLOOR.fullmatch(line):
            assert re.fullmatch(r"# (CVE-\d{4}-\d+ ?)+", _LINES[number - 1]), line


def test_installing_and_locking_heed_them() -> None:
    assert "-c floors.txt" in (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()
    assert "-c requirements/floors.txt" in (ROOT / "Makefile").read_text(encoding="utf-8")
