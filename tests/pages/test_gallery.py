from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import DataError
from enginewright.pages import gallery
from enginewright.pages.files import FolderFiles
from enginewright.pages.gallery import Gallery
from enginewright.pages.run import Run
from tests.pages.sample import png
from tests.report.sample import metrics


def run(folder: Path, name: str, data: bytes) -> Run:
    file = folder / name / "plots" / "disk_lightglue" / "matches" / "pair_one.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    return Run(name, FolderFiles(folder / name), {}, metrics())


def test_a_picture_says_what_it_shows(tmp_path: Path) -> None:
    (shown,) = Gallery().show(run(tmp_path, "one", png()), "disk_lightglue")
    assert shown.picture is not None
    assert shown.title == "pair one, disk_lightglue, one"
    assert shown.alt.startswith("Pair pair one: both images side by side, with a line for each match")
    assert "the original finds 1,351 matches" in shown.alt


def test_the_same_picture_is_embedded_once_and_linked_to(tmp_path: Path) -> None:
    gallery_ = Gallery()
    (first,) = gallery_.show(run(tmp_path, "one", png()), "disk_lightglue")
    (second,) = gallery_.show(run(tmp_path, "two", png()), "disk_lightglue")
    (third,) = gallery_.show(run(tmp_path, "three", png("blue")), "disk_lightglue")
    assert second.picture is None
    assert (second.note, second.link) == ("the same picture as of one", first.id)
    assert third.picture is not None
    assert third.id != first.id


def test_a_page_that_is_large_enough_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MOST_BYTES", 10)
    (shown,) = Gallery().show(run(tmp_path, "one", png()), "disk_lightglue")
    assert shown.picture is None
    assert "left out" in shown.note
    assert shown.link == ""


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"pair_one\.png is no picture"):
        Gallery().show(run(tmp_path, "one", b"GIF89a"), "disk_lightglue")
