"""From cells to keypoints, piece by piece, against plain loops."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)

from networks.parts.cells import Slots, as_outputs, cell_scores, interpolate, pick, pixel_scores, strongest


def test_the_last_logit_is_that_no_pixel_is_a_keypoint() -> None:
    logits = torch.zeros(1, 65, 1, 1)
    logits[0, 64] = 50.0
    assert cell_scores(logits).shape == (1, 64, 1, 1)
    assert cell_scores(logits).max() < 1e-20
    assert torch.allclose(cell_scores(torch.zeros(1, 65, 2, 3)), torch.tensor(1 / 65))


def test_scores_of_a_cell_lie_row_by_row_where_its_pixels_are() -> None:
    logits = torch.randn(2, 65, 3, 5, generator=torch.Generator().manual_seed(0))
    scores = pixel_scores(logits)
    assert scores.shape == (2, 1, 24, 40)
    for image, place, row, column in ((0, 0, 0, 0), (1, 9, 2, 4), (0, 63, 1, 3), (1, 7, 0, 1)):
        found = scores[image, 0, 8 * row + place // 8, 8 * column + place % 8]
        assert found == cell_scores(logits)[image, place, row, column]


def test_the_strongest_come_first_and_carry_their_place() -> None:
    scores = torch.zeros(2, 1, 16, 24)
    scores[0, 0, 5, 19], scores[0, 0, 11, 4], scores[1, 0, 4, 5] = 0.5, 0.9, 0.1
    slots = strongest(scores, 3, 0.2)
    assert (slots.x[0, :2].tolist(), slots.y[0, :2].tolist()) == ([4, 19], [11, 5])
    assert slots.valid.tolist() == [[True, True, False], [False, False, False]]
    assert slots.x.dtype is slots.y.dtype is torch.int64


def test_a_score_must_exceed_the_threshold() -> None:
    scores = torch.full((1, 1, 16, 16), 0.25)
    assert not strongest(scores, 4, 0.25).valid.any()
    assert strongest(scores, 4, 0.2499).valid.all()


@pytest.mark.parametrize(("row", "column"), [(3, 8), (12, 8), (8, 3), (8, 20)])
def test_edges_hold_no_keypoint(row: int, column: int) -> None:
    scores = torch.zeros(1, 1, 16, 24)
    scores[0, 0, row, column] = 1.0
    assert not strongest(scores, 5, 0.0).valid.any()
    assert int(strongest(scores, 5, 0.0, border=0).valid.sum()) == 1


def test_every_slot_lies_inside_where_none_is_valid() -> None:
    slots = strongest(torch.zeros(1, 1, 24, 16), 16 * 8, 0.0)
    assert set(slots.x[0].tolist()) == set(range(4, 12))
    assert set(slots.y[0].tolist()) == set(range(4, 20))


def test_equal_scores_fill_the_slots_once_each() -> None:
    slots = strongest(torch.full((1, 1, 16, 16), 0.5), 64, 0.0)
    assert len(set(zip(slots.x[0].tolist(), slots.y[0].tolist(), strict=True))) == 64


def test_a_cell_is_picked_by_row_and_column() -> None:
    maps = torch.randn(2, 7, 3, 5)
    found = pick(maps, torch.tensor([[1 * 5 + 4, 0], [2 * 5 + 3, 14]]))
    assert torch.equal(found[0, :, 0], maps[0, :, 1, 4])
    assert torch.equal(found[1, :, 0], maps[1, :, 2, 3])
    assert torch.equal(found[1, :, 1], maps[1, :, 2, 4])


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 9), (40, 2)])
def test_between_cells_is_where_grid_sample_finds_it(height: int, width: int) -> None:
    random = torch.Generator().manual_seed(height)
    maps = torch.randn(2, 6, height, width, generator=random)
    x, y = (torch.randint(0, 1000 * (size - 1), (2, 50), generator=random) for size in (width, height))
    found = interpolate(maps, (x, 1000), (y, 1000))
    grid = torch.stack((x / 500 / (width - 1) - 1, y / 500 / (height - 1) - 1), dim=-1).unsqueeze(1)
    expected = F.grid_sample(maps, grid, align_corners=True)[:, :, 0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_on_a_cell_is_that_cell_exactly() -> None:
    maps = torch.randn(1, 4, 5, 6)
    found = interpolate(maps, (torch.tensor([[32, 0]]), 16), (torch.tensor([[48, 0]]), 16))
    assert torch.equal(found[0, :, 0], maps[0, :, 3, 2])
    assert torch.equal(found[0, :, 1], maps[0, :, 0, 0])


def test_what_is_not_valid_leaves_as_zero() -> None:
    slots = Slots(
        torch.tensor([[3001, 5]]), torch.tensor([[7, 9]]), torch.tensor([[0.5, 0.1]]), torch.tensor([[True, False]])
    )
    keypoints, scores, descriptors, valid = as_outputs(slots, torch.ones(1, 2, 3))
    assert keypoints.tolist() == [[[3001.0, 7.0], [0.0, 0.0]]]
    assert scores.tolist() == [[0.5, 0.0]]
    assert descriptors.tolist() == [[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]
    assert valid.tolist() == [[1, 0]]
    assert (keypoints.dtype, valid.dtype) == (torch.float32, torch.int32)
