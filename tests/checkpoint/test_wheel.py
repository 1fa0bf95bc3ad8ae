"""Members of wheels, fetched by the real pip from a folder of wheels instead of an index."""

import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from enginewright.checkpoint.wheel import fetch_wheel, read_member
from enginewright.errors import CheckpointError, ConfigError

MEMBER = "tiny_weights/data/net.pth"
CONTENT = b"weights" * 1000


def make_wheel(folder: Path, version: str = "1.2") -> Path:
    """Write the smallest wheel that pip accepts, with one data file."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"tiny_weights-{version}-py3-none-any.whl", f"tiny_weights-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr("tiny_weights/data/net_b.pth", b"other")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-weights\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip knows, by the settings that a user has."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return make_wheel(tmp_path / "index").parent


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_pip_downloads_the_wheel_once(index: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = fetch_wheel("tiny-weights==1.2", tmp_path / "cache")
    assert read_member(first, MEMBER) == CONTENT
    assert "tiny-weights" in capfd.readouterr().err, "what pip says is shown"
    (index / first.name).unlink()
    assert fetch_wheel("Tiny_Weights==1.2", tmp_path / "cache") == first, "another spelling of the same name"
    assert files_in(tmp_path / "cache") == [first.name], "the wheel and nothing else is kept"


def test_two_processes_download_it_once(index: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom enginewright.checkpoint.wheel import fetch_wheel\n"
        "print(fetch_wheel('tiny-weights==1.2', Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    root = Path(__file__).parents[2]
    both = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0] != ""
    assert sum("Successfully downloaded" in err for _, err in said) == 1


def test_a_version_that_is_not_there_says_what_pip_said(index: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        fetch_wheel("tiny-weights==9.9", tmp_path / "cache")
    text = str(caught.value)
    assert "tiny-weights==9.9" in text
    assert "No matching distribution" in text
    assert "checkpoint.requirement" in text
    assert files_in(tmp_path / "cache") == []


def test_a_source_distribution_is_never_run(index: Path, tmp_path: Path) -> None:
    sdist = index / "evil-1.0.zip"
    with zipfile.ZipFile(sdist, "w") as archive:
        archive.writestr("evil-1.0/setup.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(CheckpointError, match="No matching distribution"):
        fetch_wheel("evil==1.0", tmp_path / "cache")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "requirement", ["tiny-weights", "tiny-weights>=1", "--index-url=x==1", "../up==1", "a==1/../b"]
)
def test_only_a_pinned_requirement_reaches_pip(requirement: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not pinned"):
        fetch_wheel(requirement, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_download_left_is_cleared(index: Path, tmp_path: Path) -> None:
    left = tmp_path / "cache" / "wheels" / ".tiny-weights==1.2.part"
    left.mkdir(parents=True)
    (left / "tiny_weights-1.2-py3-none-any.whl").write_bytes(b"half")
    wheel = fetch_wheel("tiny-weights==1.2", tmp_path / "cache")
    assert read_member(wheel, MEMBER) == CONTENT
    assert not left.exists()


def test_a_cache_that_cannot_be_written_serves_what_it_has(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels" / "tiny-weights==1.2")
    assert fetch_wheel("tiny-weights==1.2", tmp_path) == wheel
    assert not list((tmp_path / "wheels").glob(".*.lock")), "a hit takes no lock, so it writes nothing"


def test_a_missing_member_is_answered_with_the_nearest_names(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_member(make_wheel(tmp_path), "tiny_weights/net.pth")
    assert MEMBER in str(caught.value.expected)
    assert "got: tiny_weights/net.pth" in str(caught.value)
    assert "checkpoint.member" in str(caught.value)


@pytest.mark.parametrize("member", ["../../etc/passwd", "/etc/passwd", "tiny_weights/data/", "tiny_weights/data"])
def test_a_member_is_a_name_in_the_archive_and_never_a_path(member: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no member"):
        read_member(make_wheel(tmp_path), member)


def test_a_member_with_a_climbing_name_is_read_and_not_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "inner" / "odd.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../climbed", b"x")
    assert read_member(wheel, "../climbed") == b"x"
    assert files_in(tmp_path) == ["odd.whl"]


def test_a_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    wheel = tmp_path / "bomb.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000_000))
    assert wheel.stat().st_size < 10_000
    with pytest.raises(CheckpointError) as caught:
        read_member(wheel, "zeros", limit=1_000_000)
    assert "at most 1000000 bytes" in str(caught.value)
    assert "5000000 bytes" in str(caught.value)


def test_a_bomb_that_lies_about_its_size_is_damage(tmp_path: Path) -> None:
    wheel = tmp_path / "liar.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000_000))
    wheel.write_bytes(wheel.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1000)))
    with pytest.raises(CheckpointError, match="cannot be unpacked"):
        read_member(wheel, "zeros", limit=1_000_000)


def test_a_flipped_byte_in_the_wheel_is_damage_with_a_cure(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    data = bytearray(wheel.read_bytes())
    data[60] ^= 1
    wheel.write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        read_member(wheel, MEMBER)
    assert "cannot be unpacked" in str(caught.value)
    assert f"delete {wheel}" in str(caught.value)


def test_a_wheel_that_is_cut_is_damage(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="BadZipFile"):
        read_member(wheel, MEMBER)
