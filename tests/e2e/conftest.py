"""Checkouts that several tests share: the default one with real weights, and a small one that is quick to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.workspace import Workspace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a checkout in which the main job ran once: DISK and LightGlue, 512 x 512, K = 1024, fp32."""
    space = Workspace.copied_to(tmp_path_factory.mktemp("real") / "checkout")
    space.repro()
    space.commit("built")
    return space


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a checkout whose defaults are small and quick: 128 x 128, K = 64, one pair, the quicker exporter."""
    space = Workspace.copied_to(tmp_path_factory.mktemp("small") / "checkout")
    space.edit("conf/config.yaml", r"^  - experiment: null", "  - experiment: small")
    space.edit("conf/precision/fp16.yaml", r"^samples: 2 ", "samples: 1 ")
    space.repro()
    space.commit("built")
    return space


@pytest.fixture
def scratch(small: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of the small checkout, built, that a test may break; it shares the cache of the small one."""
    space = Workspace(tmp_path / "checkout")
    small.run("git", "clone", "-q", str(small.path), str(space.path))
    space.run("dvc", "cache", "dir", "--local", str(small.path / ".dvc" / "cache"))
    space.run("dvc", "checkout", "-q")
    space.run("git", "config", "user.email", "test@example.com")
    space.run("git", "config", "user.name", "test")
    return space
