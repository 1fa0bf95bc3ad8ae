from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from enginewright.config.photographs import PHOTOGRAPHS
from enginewright.config.sections import DataConfig
from enginewright.errors import ConfigError, DataError
from enginewright.images.pair import Pair
from enginewright.images.scikit_image import _disparities, data_folder, draw_homography, scikit_image_pairs
from enginewright.images.truth import Disparity, Homography

DATA = DataConfig()
SIZE = (96, 128)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return scikit_image_pairs(DATA, *SIZE)


def test_default_pairs_are_the_stereo_pair_then_the_photographs(pairs: list[Pair]) -> None:
    assert [pair.name for pair in pairs] == ["motorcycle", "astronaut", "brick", "coffee"]
    assert all(image.shape == (*SIZE, 3) and image.dtype == np.uint8 for pair in pairs for image in pair.images)
    assert [type(pair.truth) for pair in pairs] == [Disparity, Homography, Homography, Homography]


def test_same_configuration_gives_the_same_pixels(pairs: list[Pair]) -> None:
    again = scikit_image_pairs(DATA, *SIZE)
    for first, second in zip(pairs, again, strict=True):
        assert all((one == other).all() for one, other in zip(first.images, second.images, strict=True))


def disagreement(pair: Pair, shift: float) -> float:
    """Return the median grey difference between image 0 and where the truth, moved by `shift` in x, puts it."""
    rows, columns = np.mgrid[4 : SIZE[0] - 4, 4 : SIZE[1] - 4]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float)
    if isinstance(pair.truth, Homography):
        there = pair.truth.project(points)
    else:
        there = points - np.stack([pair.truth.errors(points, points), np.zeros(len(points))], axis=1)
    there = np.add(there, (shift, 0))
    inside = np.isfinite(there).all(axis=1) & (there > 1).all(axis=1) & (there < [SIZE[1] - 3, SIZE[0] - 3]).all(axis=1)
    low = np.floor(there[inside]).astype(int)
    fx, fy = (there[inside] - low).T
    grey0, grey1 = (image.astype(float).mean(axis=2) for image in pair.images)
    x, y = low.T
    top = grey1[y, x] * (1 - fx) + grey1[y, x + 1] * fx
    bottom = grey1[y + 1, x] * (1 - fx) + grey1[y + 1, x + 1] * fx
    at = points[inside].astype(int)
    return float(np.abs(top * (1 - fy) + bottom * fy - grey0[at[:, 1], at[:, 0]]).mean())


@pytest.mark.parametrize("number", range(4))
def test_truth_is_right_to_a_fraction_of_a_pixel(pairs: list[Pair], number: int) -> None:
    """The images agree best exactly where the truth says; half a pixel to either side they agree less."""
    left, here, right = (disagreement(pairs[number], shift) for shift in (-0.5, 0, 0.5))
    assert here < left
    assert here < right


def test_most_of_the_stereo_pair_has_a_known_truth(pairs: list[Pair]) -> None:
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)
    assert 0.8 < np.isfinite(pairs[0].truth.errors(points, points)).mean() < 0.95


def test_the_homography_scales_with_the_size() -> None:
    small, large = draw_homography("brick", DATA, 100, 160), draw_homography("brick", DATA, 200, 320)
    corner = Homography(small).project(np.array([[19.5, 9.5]]))
    assert Homography(large).project(np.array([[39.5, 19.5]])) == pytest.approx((corner + 0.5) * 2 - 0.5)


def test_draws_differ_by_photograph_and_by_seed_and_by_nothing_else() -> None:
    one, other = draw_homography("brick", DATA, 100, 100), draw_homography("coffee", DATA, 100, 100)
    reseeded = draw_homography("brick", replace(DATA, seed=1), 100, 100)
    fewer = draw_homography("brick", replace(DATA, photographs=["brick"], stereo=False), 100, 100)
    assert not np.allclose(one, other)
    assert not np.allclose(one, reseeded)
    assert (one == fewer).all()


@pytest.mark.parametrize("seed", range(20))
def test_draws_stay_within_their_limits(seed: int) -> None:
    data = replace(DATA, seed=seed, max_tilt=0.0, max_shift=0.1)
    matrix = draw_homography("brick", data, 100, 200)
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    assert abs(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))) <= data.max_angle_deg
    assert 1 / data.max_zoom <= zoom <= data.max_zoom
    middle = Homography(matrix).project(np.array([[99.5, 49.5]]))[0] - [99.5, 49.5]
    assert abs(middle[0]) <= 20 + 1e-9
    assert abs(middle[1]) <= 10 + 1e-9


def test_no_change_allowed_is_no_change() -> None:
    still = replace(DATA, max_angle_deg=0.0, max_zoom=1.0, max_shift=0.0, max_tilt=0.0)
    assert draw_homography("brick", still, 64, 80) == pytest.approx(np.eye(3), abs=1e-12)


@pytest.mark.parametrize("tilt", [0.05, 0.3])
def test_tilt_never_puts_the_image_behind_the_camera(tilt: float) -> None:
    corners = np.array([[0, 0], [99, 0], [0, 99], [99, 99.0]])
    for seed in range(20):
        matrix = draw_homography("moon", replace(DATA, seed=seed, max_tilt=tilt), 100, 100)
        assert np.isfinite(Homography(matrix).project(corners)).all()


def test_every_allowed_photograph_is_in_the_wheel() -> None:
    data = replace(DATA, stereo=False, photographs=list(PHOTOGRAPHS))
    assert [pair.name for pair in scikit_image_pairs(data, 32, 32)] == list(PHOTOGRAPHS)


def test_photograph_that_this_version_lacks_is_named(tmp_path: Path) -> None:
    from enginewright.images.scikit_image import _read

    with pytest.raises(DataError, match="no photograph brick"):
        _read(tmp_path, "brick")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_broken_disparities_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"d\.npz cannot be read"):
        _disparities(tmp_path / "d.npz")


def test_unknown_and_repeated_photographs_are_refused_by_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"astronaut, brick[\s\S]*astro'"):
        DataConfig(photographs=["astro"])
    with pytest.raises(ConfigError, match="at most once"):
        DataConfig(photographs=["brick", "brick"])
    with pytest.raises(ConfigError, match=r"data\.photographs is missing"):
        DataConfig(stereo=False, photographs=[])


def test_neither_scikit_image_is_imported_nor_the_network_used() -> None:
    """Every socket is refused, and what was imported is listed: reading by path costs neither."""
    code = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket = refuse\n"
        "from enginewright.images import load_pairs\n"
        "from enginewright.config.sections import DataConfig\n"
        "print(len(load_pairs(DataConfig(), 32, 32)), 'skimage' in sys.modules, 'scipy' in sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["4", "False", "False"], done.stderr


def test_folder_is_found_without_importing() -> None:
    assert (data_folder() / "motorcycle_left.png").is_file()


def test_seeds_give_distinct_matrices() -> None:
    drawn = [draw_homography("moon", replace(DATA, seed=seed), 64, 64) for seed in range(5)]
    assert all(not np.allclose(one, other) for one, other in pairwise(drawn))
