from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from enginewright.config.choices import DataSource
from enginewright.config.sections import DataConfig
from enginewright.errors import ConfigError, DataError
from enginewright.images import load_pairs


def test_default_source_gives_the_default_pairs() -> None:
    assert [pair.name for pair in load_pairs(DataConfig(photographs=["moon"]), 32, 48)] == ["motorcycle", "moon"]


def test_folder_source_gives_the_folders_pairs(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    (tmp_path / "pairs.txt").write_text("a.png a.png\n")
    data = DataConfig(source=DataSource.folder, folder=str(tmp_path), watch=str(tmp_path))
    (pair,) = load_pairs(data, 32, 48)
    assert pair.image0.shape == (32, 48, 3)


def test_a_limit_takes_the_first_pairs_and_reads_no_others(tmp_path: Path) -> None:
    data = DataConfig(photographs=["moon", "brick"])
    whole = load_pairs(data, 32, 48)
    for limit in (1, 2, 3, 9):
        found = load_pairs(data, 32, 48, limit)
        assert [pair.name for pair in found] == [pair.name for pair in whole][:limit]
        assert all((a.image1 == b.image1).all() for a, b in zip(found, whole, strict=False))
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    (tmp_path / "pairs.txt").write_text("a.png a.png\nabsent.png a.png\n")
    folder = DataConfig(source=DataSource.folder, folder=str(tmp_path), watch=str(tmp_path))
    assert len(load_pairs(folder, 32, 48, 1)) == 1
    with pytest.raises(DataError, match=r"absent\.png"):
        load_pairs(folder, 32, 48)


def test_images_of_two_sizes_come_out_at_one(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "wide.png")
    Image.new("RGB", (30, 70)).save(tmp_path / "tall.png")
    (tmp_path / "pairs.txt").write_text("wide.png tall.png\n")
    data = DataConfig(source=DataSource.folder, folder=str(tmp_path), watch=str(tmp_path))
    (pair,) = load_pairs(data, 32, 48)
    assert {image.shape for image in pair.images} == {(32, 48, 3)}


def test_folder_source_needs_a_folder_that_exists(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.folder is missing"):
        DataConfig(source=DataSource.folder)
    with pytest.raises(DataError, match="absent"):
        load_pairs(DataConfig(source=DataSource.folder, folder=str(tmp_path / "absent")), 32, 48)
