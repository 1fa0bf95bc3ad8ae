"""A built project that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.explaining.tiny import Tiny, made_in


@pytest.fixture(scope="session")
def built_tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return the project that all tests copy."""
    return made_in(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(built_tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Return a copy of the built project, which is the working folder."""
    shutil.copytree(built_tiny.path, tmp_path / "tiny")
    monkeypatch.chdir(tmp_path / "tiny")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "tiny" / ".dvc" / "tmp" / "site"))
    return Tiny(tmp_path / "tiny")
