"""What can stand in the place of a file: pipes, devices, folders, links, names that are none."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from enginewright.input_file import read_input


def test_a_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    os.link(tmp_path / "file", tmp_path / "hard")
    assert {read_input(tmp_path / name) for name in ("file", "link", "hard")} == {b"content"}


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read_input(tmp_path / "pipe")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "/proc/self/fd"])
def test_devices_and_folders_are_refused(path: str) -> None:
    with pytest.raises(OSError, match=r"regular file|directory"):
        read_input(Path(path))


def test_so_is_a_link_to_a_device_a_broken_link_and_a_circle(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("zero", "broken", "circle"):
        with pytest.raises(OSError, match=r"regular|No such file|symbolic"):
            read_input(tmp_path / name)


def test_so_is_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(OSError, match=r"."):
            read_input(Path("socket"))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_is_none_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"null|too long"):
        read_input(tmp_path / name)


def test_a_name_may_hold_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_bytes(b"content")
    assert read_input(tmp_path / "a\nb") == b"content"


def test_what_is_larger_than_asked_for_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)  # a hole: a terabyte that takes no room
    with pytest.raises(OSError, match="more than 4294967296"):
        read_input(tmp_path / "large")
    (tmp_path / "small").write_bytes(b"12345")
    assert read_input(tmp_path / "small", 5) == b"12345"
    with pytest.raises(OSError, match="5 bytes, more than 4"):
        read_input(tmp_path / "small", 4)
