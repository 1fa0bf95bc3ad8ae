"""Folders that DVC unpickles from are closed to others, or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from enginewright.errors import RequirementError
from enginewright.private_folders import keep_private

OTHER = 12_345
"""A user that nobody is."""

as_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, who alone can give files away")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout in which DVC was started, as DVC leaves it: open to everybody."""
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    (tmp_path / ".cache" / "dvc-site" / "repo").mkdir(parents=True)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    for name in (".cache", ".cache/dvc-site", ".cache/dvc-site/repo"):
        (tmp_path / name).chmod(0o777)
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_dvc_left_open_is_closed(checkout: Path) -> None:
    keep_private(checkout)
    assert mode(checkout / ".cache") == 0o755
    assert mode(checkout / ".cache" / "dvc-site") == 0o700
    assert mode(checkout / ".dvc" / "tmp") == 0o700


def test_they_are_made_private_where_dvc_was_not_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    old = os.umask(0)
    try:
        keep_private(tmp_path)
    finally:
        os.umask(old)
    assert mode(tmp_path / ".cache" / "dvc-site") == 0o700
    assert mode(tmp_path / ".cache") & 0o022 == 0
    assert not (tmp_path / ".dvc").exists(), "a folder that is no checkout of DVC stays none"


def test_twice_is_once(checkout: Path) -> None:
    keep_private(checkout)
    keep_private(checkout)
    assert mode(checkout / ".cache" / "dvc-site") == 0o700


def test_a_link_in_its_place_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".cache" / "dvc-site" / "repo").rmdir()
    (checkout / ".cache" / "dvc-site").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (checkout / ".cache" / "dvc-site").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequirementError, match="dvc-site is not private"):
        keep_private(checkout)


@as_root
@pytest.mark.parametrize("name", [".cache", ".cache/dvc-site", ".dvc/tmp"])
def test_a_folder_of_another_user_is_refused(checkout: Path, name: str) -> None:
    os.chown(checkout / name, OTHER, OTHER)
    with pytest.raises(RequirementError, match=f"owned by user {OTHER}|of another user"):
        keep_private(checkout)


@as_root
def test_so_is_an_open_one_that_another_user_put_something_in(checkout: Path) -> None:
    (checkout / ".cache" / "dvc-site" / "repo" / "planted").write_bytes(b"pickle")
    os.chown(checkout / ".cache" / "dvc-site" / "repo" / "planted", OTHER, OTHER)
    with pytest.raises(RequirementError, match="planted in it, of another user"):
        keep_private(checkout)


@as_root
def test_the_owner_of_the_checkout_may_own_them(checkout: Path) -> None:
    for path in (checkout, *(checkout / name for name in (".cache", ".cache/dvc-site", ".dvc", ".dvc/tmp"))):
        os.chown(path, OTHER, OTHER)
    keep_private(checkout)


def test_a_folder_that_the_environment_names_is_closed_too(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "site").mkdir()
    (checkout / "site").chmod(0o777)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(checkout / "site"))
    keep_private(checkout)
    assert mode(checkout / "site") == 0o700
