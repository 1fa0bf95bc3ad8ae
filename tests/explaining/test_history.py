"""Old states in git, found by DVC's hash of them; and folders hashed as DVC does."""

from __future__ import annotations

from pathlib import Path

from enginewright.explaining.folders import digest_of, folder_changes
from enginewright.explaining.history import History
from enginewright.explaining.locked import lock_here
from enginewright.explaining.places import md5_of
from tests.explaining.tiny import FILES, Tiny


def test_a_folder_is_found_by_the_hash_that_dvc_locked(tiny: Tiny) -> None:
    locked = lock_here(tiny.path)["export@disk"].deps["code/export"]
    tiny.write("code/export/a.py", "later")
    tiny.commit()
    files = {name: md5_of(FILES[f"code/export/{name}"].encode()) for name in ("a.py", "b.py")}
    assert digest_of(files) == locked
    assert History(tiny.path).listing("code/export", locked) == files


def test_a_file_is_found_in_another_branch_and_not_by_a_wrong_hash(tiny: Tiny) -> None:
    tiny.run("git", "checkout", "-q", "-b", "side")
    tiny.write("code/write.py", "on the side")
    tiny.commit()
    tiny.run("git", "checkout", "-q", "main")
    history = History(tiny.path)
    assert history.content("code/write.py", md5_of(b"on the side")) == b"on the side"
    assert history.content("code/write.py", md5_of(b"nowhere")) is None
    assert history.content("code/nothing.py", md5_of(b"on the side")) is None


def test_without_a_repository_nothing_is_found(tmp_path: Path) -> None:
    assert History(tmp_path).listing("code", "0" * 32 + ".dir") is None


def test_a_file_in_the_place_of_a_folder_once_is_no_listing(tiny: Tiny) -> None:
    tiny.write("data", "a file first")
    tiny.commit()
    (tiny.path / "data").unlink()
    tiny.write("data/a", "then a folder")
    tiny.commit()
    wanted = digest_of({"a": md5_of(b"then a folder")})
    assert History(tiny.path).listing("data", wanted) == {"a": md5_of(b"then a folder")}


def test_files_that_differ_between_two_states_of_a_folder() -> None:
    rows = folder_changes(
        "code", {"a": "1" * 32, "b": "2" * 32, "c": "3" * 32}, {"a": "1" * 32, "b": "4" * 32, "d": "5" * 32}
    )
    assert [str(row) for row in rows] == [
        "code/b modified 2222222 -> 4444444",
        "code/c removed (was 3333333)",
        "code/d added (5555555)",
    ]
