"""A built project to share, and clones of it that have a cache of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.explaining.tiny import Tiny, made_in


@pytest.fixture(scope="session")
def built_tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return the project that all tests copy."""
    return made_in(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def mine(built_tiny: Tiny, tmp_path: Path) -> Tiny:
    """Return a built project that a test may change."""
    shutil.copytree(built_tiny.path, tmp_path / "mine")
    return Tiny(tmp_path / "mine")


@pytest.fixture
def cloned(tmp_path: Path, mine: Tiny) -> Callable[[], Tiny]:
    """Return what makes a colleague's clone of the committed project."""

    def clone() -> Tiny:
        mine.run("git", "clone", "-q", ".", str(tmp_path / "theirs"))
        return Tiny(tmp_path / "theirs")

    return clone
