"""A user's own pairs: a folder with `pairs.txt`, a line a pair: `left right [homography.txt]`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np

from enginewright.errors import DataError
from enginewright.images.decode import read_rgb
from enginewright.images.pair import Pair
from enginewright.images.resize import Matrix, resize_matrix, resized
from enginewright.images.truth import Homography, Truth, Unknown
from enginewright.input_file import read_input

LIST = "pairs.txt"
"""The file that lists a folder's pairs."""

_MOST_LIST, _MOST_LINE = 1 << 24, 1 << 14
"""Bytes of a list, characters of a line of it and bytes of a homography: far more than any needs."""

_FORM = "left right [homography.txt], quotes around names with spaces"


def folder_pairs(folder: Path, height: int, width: int, limit: int | None = None) -> list[Pair]:
    """Return the pairs that `folder`/pairs.txt lists, in its order, each image resized to (height, width, 3).

    The two images of a pair may differ in size: both come out at this one, and ground truth goes with them. `limit`:
    the first so many pairs.

    A homography file holds nine numbers, row by row, from pixels of the left image to pixels of the right one, both
    upright and as they lie on disk, (0, 0) being the centre of the first pixel.

    Raises:
        DataError: if the list is missing, empty or malformed, if a path leaves the folder, or a file cannot be used.
    """
    lines = _entries(folder / LIST)[:limit]
    return [_pair(folder, number, files, height, width) for number, files in enumerate(lines)]


def _entries(path: Path) -> list[list[str]]:
    try:
        text = read_input(path, _MOST_LIST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read: {error}", expected=f"a text file of lines: {_FORM}", cure=f"write {path}"
        ) from error
    entries = [_split(line, f"{path.name}:{number}") for number, line in enumerate(text.splitlines(), start=1)]
    found = [entry for entry in entries if entry]
    if not found:
        raise DataError(f"{path} lists no pair", expected=f"lines: {_FORM}", got="none", cure="add a line for a pair")
    return found


def _split(line: str, where: str) -> list[str]:
    """Return the two or three file names of a line, or none for an empty line or a comment (#)."""
    if len(line) > _MOST_LINE:
        raise DataError(f"{where} is too long for a pair", expected=f"at most {_MOST_LINE} characters", got=len(line))
    try:
        files = shlex.split(line, comments=True)
    except ValueError as error:
        raise DataError(f"{where} cannot be read: {error}", expected=_FORM, got=line) from error
    if len(files) not in (0, 2, 3):
        raise DataError(f"{where} is no pair", expected=_FORM, got=line, cure="two or three names a line")
    return files


def _pair(folder: Path, number: int, files: list[str], height: int, width: int) -> Pair:
    left, right, *homography = [_inside(folder, name) for name in files]
    image0, image1 = read_rgb(left), read_rgb(right)
    truth: Truth = Unknown()
    if homography:
        before, after = resize_matrix(image0.shape, height, width), resize_matrix(image1.shape, height, width)
        matrix = after @ _homography(homography[0]) @ np.linalg.inv(before)
        truth = Homography(_in_front(matrix, height, width))
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{number:03d}_{left.stem}_{right.stem}")
    return Pair(name[:80], resized(image0, height, width), resized(image1, height, width), truth)


def _inside(folder: Path, name: str) -> Path:
    root = folder.resolve()
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a NUL
        raise DataError(f"{LIST} names no file: {error}", expected="a path below its folder", got=name) from error
    if not path.is_relative_to(root):
        raise DataError(
            f"{LIST} names a file outside its folder",
            expected=f"a path below {root}",
            got=name,
            cure="copy the file into the folder: only what lies there is tracked",
        )
    return path


def _homography(path: Path) -> Matrix:
    try:
        values = np.array(read_input(path, _MOST_LINE).decode("utf-8").split(), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read: {error}", expected="nine numbers", got=str(path)) from error
    largest = np.abs(values).max(initial=0)
    usable = values.shape == (9,) and np.isfinite(largest) and largest > 0
    if not usable or np.linalg.matrix_rank(values.reshape(3, 3) / largest) < 3:
        raise DataError(
            f"{path.name} holds no homography",
            expected="nine finite numbers, a 3 x 3 matrix that can be inverted",
            got=values.tolist()[:12],
            cure="correct the file, or name no homography on that line",
        )
    matrix: Matrix = values.reshape(3, 3) / largest
    return matrix


def _in_front(matrix: Matrix, height: int, width: int) -> Matrix:
    """Return the homography with the sign that puts the image's centre in front: any multiple says the same."""
    depth = matrix[2] @ [width / 2, height / 2, 1]
    return -matrix if depth < 0 else matrix
