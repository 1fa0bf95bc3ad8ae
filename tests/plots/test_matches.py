from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from enginewright.images import Homography, Pair, Unknown
from enginewright.matching.features import Features, Matched
from enginewright.plots.matches import match_picture

HEIGHT, WIDTH = 60, 80
GREEN, RED = (0, 158, 115), (213, 94, 0)
GREY = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)


def pair(truth: Homography | Unknown) -> Pair:
    return Pair("pair", GREY, GREY, truth)


def crossing(count: int = 12, error: float = 0.0) -> Matched:
    """Return matches of points on a line with the same points, moved by `error` pixels."""
    points = np.stack([np.full(count, 10), np.linspace(5, 55, count)], axis=1).astype(np.float32)
    first, second = (
        Features(keypoints, np.ones((count, 2), np.float32), np.ones(count, bool))
        for keypoints in (points, points + error)
    )
    rows = np.arange(count)
    return Matched(first, second, np.stack([rows, rows], axis=1), np.full(count, 0.95, np.float32))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """Return how many pixels are closer to the colour than to anything else drawn."""
    return int((np.abs(image - colour).sum(axis=2) < 90).sum())


def test_right_matches_are_green_and_wrong_ones_red() -> None:
    truth = pair(Homography(np.eye(3)))
    right = pixels(match_picture(truth, {"right": crossing()}))
    wrong = pixels(match_picture(truth, {"wrong": crossing(error=20)}))
    assert near(right, GREEN) > 500 > near(right, RED)
    assert near(wrong, RED) > 500 > near(wrong, GREEN)


def test_one_wrong_match_is_seen_among_many_right_ones() -> None:
    """A hundred right matches cover the picture; the wrong one must lie above them."""
    many, one = crossing(100), crossing(1, error=20)
    first, second = (
        Features(np.concatenate([a.keypoints, b.keypoints]), np.ones((101, 2), np.float32), np.ones(101, bool))
        for a, b in ((many.features0, one.features0), (many.features1, one.features1))
    )
    rows = np.arange(101)
    both = Matched(first, second, np.stack([rows, rows], axis=1), np.full(101, 0.9, np.float32))
    assert near(pixels(match_picture(pair(Homography(np.eye(3))), {"both": both})), RED) > 200


def test_without_truth_the_confidence_decides() -> None:
    assert near(pixels(match_picture(pair(Unknown()), {"sure": crossing(error=20)})), GREEN) > 500


def test_lines_end_in_the_right_image_where_the_points_lie() -> None:
    """All lines are level: image 1 is drawn to the right of image 0 at the same height, in the same scale."""
    image = pixels(match_picture(pair(Homography(np.eye(3))), {"level": crossing(2)}))
    green = np.argwhere(np.abs(image - GREEN).sum(axis=2) < 90)
    columns = green[green[:, 0] < image.shape[0] * 0.5][:, 1]
    gap = int(0.02 * WIDTH)
    scale = (image.shape[1] - 16) / (2 * WIDTH + gap)
    assert columns.min() == pytest.approx(8 + 10.5 * scale, abs=6)
    assert columns.max() == pytest.approx(8 + (WIDTH + gap + 10.5) * scale, abs=6)


def test_a_row_for_each_set_of_matches() -> None:
    one = pixels(match_picture(pair(Unknown()), {"a": crossing()}))
    two = pixels(match_picture(pair(Unknown()), {"a": crossing(), "b": crossing()}))
    assert two.shape == (2 * one.shape[0], *one.shape[1:])


def test_no_matches_still_show_the_images() -> None:
    empty = Matched(crossing().features0, crossing().features1, np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
    image = pixels(match_picture(pair(Homography(np.eye(3))), {"none": empty}))
    assert near(image, (58, 58, 58)) > 0.7 * image.shape[0] * image.shape[1]
    assert near(image, GREEN) == near(image, RED) == 0


def test_same_matches_give_the_same_bytes() -> None:
    first, second = (match_picture(pair(Homography(np.eye(3))), {"a": crossing()}) for _ in range(2))
    assert first == second
