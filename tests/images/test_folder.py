from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enginewright.errors import DataError
from enginewright.images.folder import folder_pairs
from enginewright.images.truth import Homography, Unknown

SIZE = (48, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two images of different sizes and no list."""
    root = tmp_path / "pairs"
    root.mkdir()
    draw = np.random.default_rng(0)
    for name, shape in {"left.png": (60, 90, 3), "right.png": (80, 100, 3)}.items():
        Image.fromarray(draw.integers(0, 256, size=shape, dtype=np.uint8)).save(root / name)
    return root


def listed(folder: Path, text: str) -> Path:
    (folder / "pairs.txt").write_text(text)
    return folder


def test_pair_without_truth(folder: Path) -> None:
    (pair,) = folder_pairs(listed(folder, "left.png right.png\n"), *SIZE)
    assert pair.name == "000_left_right"
    assert [image.shape for image in pair.images] == [(*SIZE, 3)] * 2
    assert isinstance(pair.truth, Unknown)


def test_comments_empty_lines_quotes_and_folders(folder: Path) -> None:
    (folder / "sub dir").mkdir()
    (folder / "left.png").rename(folder / "sub dir" / "left one.png")
    text = "# my pairs\n\n  'sub dir/left one.png' right.png  # a comment\nright.png right.png\n"
    pairs = folder_pairs(listed(folder, text), *SIZE)
    assert [pair.name for pair in pairs] == ["000_left_one_right", "001_right_right"]


def test_names_are_unique_and_fit_a_file_name(folder: Path) -> None:
    (folder / "left.png").rename(folder / f"{'ü' * 100}.png")
    pairs = folder_pairs(listed(folder, f"{'ü' * 100}.png right.png\n" * 3), *SIZE)
    assert len({pair.name for pair in pairs}) == 3
    assert all(pair.name.isascii() and len(pair.name) <= 80 and "/" not in pair.name for pair in pairs)


def test_homography_follows_both_resizings(folder: Path) -> None:
    """A point is carried by hand: up to the published size, through the file's matrix, down to the asked size."""
    matrix = np.array([[1.1, 0.05, 3], [-0.02, 0.9, 4], [1e-4, 2e-4, 1]])
    np.savetxt(folder / "h.txt", matrix)
    (pair,) = folder_pairs(listed(folder, "left.png right.png h.txt"), *SIZE)
    point = np.array([[20.0, 30.0]])
    published = (point + 0.5) * [90 / 64, 60 / 48] - 0.5
    there = Homography(matrix).project(published)
    expected = (there + 0.5) * [64 / 100, 48 / 80] - 0.5
    assert pair.truth.errors(point, expected) == pytest.approx([0], abs=1e-9)
    assert pair.truth.errors(point, np.add(expected, (3, 4))) == pytest.approx([5], abs=1e-9)


@pytest.mark.parametrize("factor", [1, -1, 1e-6, -3000])
def test_any_multiple_of_a_homography_is_the_same(folder: Path, factor: float) -> None:
    np.savetxt(folder / "h.txt", factor * np.array([[1, 0, 5], [0, 1, 0], [0, 0, 1.0]]))
    (pair,) = folder_pairs(listed(folder, "left.png left.png h.txt"), 60, 90)
    assert pair.truth.errors(np.array([[1.0, 2.0]]), np.array([[6.0, 2.0]])) == pytest.approx([0], abs=1e-6)


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n \n"])
def test_list_without_pairs_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(DataError, match="lists no pair"):
        folder_pairs(listed(folder, text), *SIZE)


def test_missing_list_and_missing_folder_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"pairs\.txt cannot be read"):
        folder_pairs(folder, *SIZE)
    with pytest.raises(DataError, match=r"pairs\.txt cannot be read"):
        folder_pairs(folder / "absent", *SIZE)


def test_list_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "pairs.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        folder_pairs(folder, *SIZE)


@pytest.mark.parametrize("line", ["left.png", "a b c d", "left.png 'right.png"])
def test_malformed_line_is_named_by_its_number(folder: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"pairs\.txt:2 .*"):
        folder_pairs(listed(folder, f"left.png right.png\n{line}\n"), *SIZE)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "sub/../../secret.png", "link.png"])
def test_no_path_leaves_the_folder(folder: Path, name: str) -> None:
    Image.new("RGB", (8, 8)).save(folder.parent / "secret.png")
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    with pytest.raises(DataError, match="outside its folder"):
        folder_pairs(listed(folder, f"left.png {name}"), *SIZE)


def test_homography_path_does_not_leave_the_folder_either(folder: Path) -> None:
    np.savetxt(folder.parent / "h.txt", np.eye(3))
    with pytest.raises(DataError, match="outside its folder"):
        folder_pairs(listed(folder, "left.png right.png ../h.txt"), *SIZE)


def test_missing_and_broken_images_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.png cannot be read"):
        folder_pairs(listed(folder, "left.png absent.png"), *SIZE)
    (folder / "right.png").write_bytes((folder / "right.png").read_bytes()[:1000])
    with pytest.raises(DataError, match=r"right\.png cannot be read"):
        folder_pairs(listed(folder, "left.png right.png"), *SIZE)


@pytest.mark.parametrize(
    "text",
    ["", "1 2 3", "1 0 0 0 1 0 0 0 nan", "1 0 0 0 1 0 0 0 inf", "1 2 3 2 4 6 0 0 1", "a b c d e f g h i", "0 " * 9],
)
def test_what_is_no_homography_is_refused(folder: Path, text: str) -> None:
    (folder / "h.txt").write_text(text)
    with pytest.raises(DataError, match=r"h\.txt (holds no homography|cannot be read)"):
        folder_pairs(listed(folder, "left.png right.png h.txt"), *SIZE)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(DataError, match="no regular file"):
        folder_pairs(listed(folder, "left.png pipe.png"), *SIZE)
    with pytest.raises(DataError, match="no regular file"):
        folder_pairs(listed(folder, "left.png right.png pipe.png"), *SIZE)
    (folder / "pairs.txt").unlink()
    os.mkfifo(folder / "pairs.txt")
    with pytest.raises(DataError, match="no regular file"):
        folder_pairs(folder, *SIZE)


def test_names_that_are_none_are_refused(folder: Path) -> None:
    (folder / "circle").symlink_to("circle")
    for name in ("a\0b", "x" * 300, "circle", "circle/a.png", "left.png/a.png", "."):
        with pytest.raises(DataError):
            folder_pairs(listed(folder, f"left.png {name}"), *SIZE)


@pytest.mark.parametrize("target", ["/dev/zero", "/etc", "../outside.png"])
def test_links_lead_nowhere_but_into_the_folder(folder: Path, target: str) -> None:
    Image.new("RGB", (8, 8)).save(folder.parent / "outside.png")
    (folder / "link.png").symlink_to(target)
    with pytest.raises(DataError, match="outside its folder"):
        folder_pairs(listed(folder, "left.png link.png"), *SIZE)


def test_a_line_without_an_end_is_refused_at_once_and_not_shown(folder: Path) -> None:
    with pytest.raises(DataError, match="is too long") as caught:
        folder_pairs(listed(folder, "left.png " + "x" * 10_000_000), *SIZE)
    assert len(str(caught.value)) < 1000


def test_a_list_larger_than_any_is_refused(folder: Path) -> None:
    with (folder / "pairs.txt").open("wb") as file:
        file.truncate(1 << 34)
    with pytest.raises(DataError, match="bytes, more than"):
        folder_pairs(folder, *SIZE)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_numbers_at_the_ends_of_their_range_are_the_same_homography(folder: Path, scale: float) -> None:
    matrix = np.array([[1, 0, 3], [0, 1, -2], [0, 0, 1.0]])
    (folder / "h.txt").write_text(" ".join(map(repr, (matrix * scale).ravel().tolist())))
    (pair,) = folder_pairs(listed(folder, "left.png right.png h.txt"), *SIZE)
    assert isinstance(pair.truth, Homography)
    assert np.isfinite(pair.truth.matrix).all()
    assert np.isfinite(pair.truth.errors(np.ones((1, 2)), np.ones((1, 2)))).all()
