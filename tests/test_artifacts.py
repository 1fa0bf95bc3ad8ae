"""Files that are whole or not there, digests, and JSON with one form."""

from __future__ import annotations

import hashlib
import math
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.artifacts import read_json, sha256_of, write_atomically, write_bytes, write_json
from enginewright.errors import DataError
from tests.dag import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from enginewright.artifacts import write_atomically

def fill(temporary):
    temporary.write_bytes(b"half of the new")
    os.kill(os.getpid(), signal.SIGKILL)

write_atomically(Path(sys.argv[1]), fill)
"""


def test_bytes_arrive_and_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "x.bin", b"\x00\xff")
    assert (tmp_path / "a" / "b" / "x.bin").read_bytes() == b"\x00\xff"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["x.bin"]


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    for data in (b"first, and longer", b"second"):
        write_bytes(tmp_path / "x", data)
        assert (tmp_path / "x").read_bytes() == data


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), ValueError("bad")])
def test_an_exception_while_filling_leaves_the_old_file_and_no_other(tmp_path: Path, error: BaseException) -> None:
    write_bytes(tmp_path / "x", b"old")

    def fill(temporary: Path) -> None:
        temporary.write_bytes(b"half of the n")
        raise error

    with pytest.raises(type(error)):
        write_atomically(tmp_path / "x", fill)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_exception_on_the_first_write_leaves_nothing(tmp_path: Path) -> None:
    def fill(temporary: Path) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "x", fill)
    assert list(tmp_path.iterdir()) == []


def test_a_kill_while_filling_leaves_the_old_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "x")]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == -9
    assert (tmp_path / "x").read_bytes() == b"old"


def test_a_fill_that_took_its_file_away_is_an_error_not_an_empty_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "x", lambda temporary: temporary.unlink())
    assert (tmp_path / "x").read_bytes() == b"old"


def test_the_temporary_file_lies_beside_the_target(tmp_path: Path) -> None:
    """A rename is atomic within one file system only."""
    seen: list[Path] = []

    def fill(temporary: Path) -> None:
        seen.append(temporary)
        temporary.write_bytes(b"new")

    write_atomically(tmp_path / "deep" / "x.json", fill)
    assert seen[0].parent == tmp_path / "deep"
    assert seen[0].name.startswith(".x.json.")


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"1")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o644


def test_a_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    with (tmp_path / "x").open("rb") as reader:
        write_bytes(tmp_path / "x", b"new")
        assert reader.read() == b"old"


def test_a_hard_link_in_a_cache_is_not_written_through(tmp_path: Path) -> None:
    """DVC may have linked the output to its cache: writing in place would corrupt the cache."""
    write_bytes(tmp_path / "cached", b"old")
    os.link(tmp_path / "cached", tmp_path / "x")
    write_bytes(tmp_path / "x", b"new")
    assert (tmp_path / "cached").read_bytes() == b"old"


def test_json_has_one_form(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": {"d": 0.1, "c": None}})
    write_json(tmp_path / "b.json", {"a": {"c": None, "d": 0.1}, "b": 1})
    text = (tmp_path / "a.json").read_text()
    assert text == '{\n  "a": {\n    "c": null,\n    "d": 0.1\n  },\n  "b": 1\n}\n'
    assert (tmp_path / "b.json").read_text() == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_has_no_nan_and_a_refusal_leaves_the_old_file(tmp_path: Path, value: float) -> None:
    write_json(tmp_path / "x.json", {"old": True})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"deep": [{"value": value}]})
    assert read_json(tmp_path / "x.json") == {"old": True}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=st.dictionaries(st.text(), JSON, max_size=4))
def test_json_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    write_json(path, value)
    assert read_json(path) == value


def test_what_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(DataError, match=r"x\.json is no JSON"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_the_digest_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "x").write_bytes(data)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(data).hexdigest()
