"""Hashes are those that DVC writes, of files and of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.artifacts import md5_of
from enginewright.explaining.folders import digest_of
from enginewright.verifying.hashing import Tree, folder_md5, listing_in


@pytest.mark.parametrize(
    "files", [{}, {"a": "0" * 32}, {"b/c.py": "1" * 32, "b.py": "2" * 32, "b-c": "3" * 32, "ä": "4" * 32}]
)
def test_a_folder_has_the_hash_that_dvc_gives_it(files: dict[str, str]) -> None:
    assert folder_md5(files) == digest_of(files)


def test_what_dvcignore_names_is_left_out(tmp_path: Path) -> None:
    (tmp_path / ".dvcignore").write_text("__pycache__\n*.pyc\n/scratch\n")
    for name in ("code/a.py", "code/__pycache__/a.pyc", "code/b.pyc", "code/scratch", "scratch/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    names = ("a.py", "scratch")
    assert Tree(tmp_path).hash("code") == folder_md5({name: md5_of(tmp_path / "code" / name) for name in names})
    assert Tree(tmp_path).size("code") == len("code/a.py") + len("code/scratch")


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert (tree.hash("absent"), tree.size("absent")) == (None, None)


@pytest.mark.parametrize("data", [b"", b"{", b"{}x", b"[1]", b'[{"md5": "1"}]', b"\xff"])
def test_what_is_no_listing_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        listing_in(data)
