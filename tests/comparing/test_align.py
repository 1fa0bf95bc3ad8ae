"""Keypoints are paired by position, whatever their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.comparing.align import align, nearest_pairs
from enginewright.comparing.measure import measure
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.reference import Arrays

SLOTS = ("batch", "keypoints")
CONTRACT = Contract(
    kind=Kind.extractor,
    inputs=(Port("image", ("batch", "channels", "height", "width")),),
    outputs=(
        Port("keypoints", (*SLOTS, "xy"), rule=Rule.aligned),
        Port("scores", SLOTS, rule=Rule.aligned),
        Port("descriptors", (*SLOTS, "dimension"), rule=Rule.aligned),
        Port("valid", SLOTS, dtype="int32", rule=Rule.aligned),
        Port("overall", ("batch",)),
    ),
)
RADIUS = 0.5


def outputs_of(batch: int, count: int, valid: int | None = None, seed: int = 0) -> Arrays:
    """Return an extractor's outputs with keypoints a pixel apart at least; slots from `valid` on are padding."""
    random = np.random.default_rng(seed)
    found = count if valid is None else valid
    points = np.stack([random.permutation(400)[:count] for _ in range(batch)])
    marks = (np.arange(count) < found).astype(np.int32) * np.ones((batch, 1), np.int32)
    outputs = {
        "keypoints": np.stack([points % 20, points // 20], axis=-1).astype(np.float32),
        "scores": random.random((batch, count), dtype=np.float32),
        "descriptors": random.standard_normal((batch, count, 8)).astype(np.float32),
        "valid": marks,
        "overall": random.random(batch, dtype=np.float32),
    }
    for name in ("keypoints", "scores", "descriptors"):
        outputs[name][marks == 0] = 0
    return outputs


def permuted(outputs: Arrays, orders: list[list[int]]) -> Arrays:
    """Return the outputs with the rows of each batch slot in another order."""
    rows = {name: np.stack([array[i][order] for i, order in enumerate(orders)]) for name, array in outputs.items()
            if array.ndim > 1}  # fmt: skip
    return outputs | rows


@settings(max_examples=60, deadline=None)
@given(data=st.data(), batch=st.integers(1, 3), count=st.integers(1, 30))
def test_any_permutation_is_no_error_at_all(data: st.DataObject, batch: int, count: int) -> None:
    expected = outputs_of(batch, count, data.draw(st.integers(1, count)), seed=count)
    orders = [data.draw(st.permutations(range(count))) for _ in range(batch)]
    both = align(expected, permuted(expected, orders), CONTRACT, RADIUS)
    assert both.missing == 0
    for port in CONTRACT.outputs:
        errors = measure(port, both.expected[port.name], both.actual[port.name])
        assert errors.max_abs == errors.mean_abs == 0, port.name
        assert errors.cosine == pytest.approx(1.0), port.name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), noise=st.floats(0, 0.2), count=st.integers(2, 30))
def test_a_permutation_and_a_small_move_cost_just_the_move(seed: int, noise: float, count: int) -> None:
    expected, random = outputs_of(1, count, seed=seed), np.random.default_rng(seed)
    order = list(random.permutation(count))
    moved = expected | {"keypoints": expected["keypoints"] + np.float32(noise)}
    both = align(expected, permuted(moved, [order]), CONTRACT, RADIUS)
    assert both.missing == 0
    assert np.abs(both.expected["keypoints"] - both.actual["keypoints"]).max() == pytest.approx(noise, abs=1e-5)
    np.testing.assert_array_equal(both.expected["scores"], both.actual["scores"])


def test_rows_come_out_valid_in_the_order_of_the_reference_batch_after_batch() -> None:
    expected = outputs_of(2, 6, valid=4)
    both = align(expected, permuted(expected, [[3, 2, 1, 0, 5, 4], [5, 4, 0, 1, 2, 3]]), CONTRACT, RADIUS)
    wanted = expected["keypoints"][:, :4].reshape(8, 2)
    np.testing.assert_array_equal(both.expected["keypoints"], wanted)
    np.testing.assert_array_equal(both.actual["keypoints"], wanted)
    assert both.actual["descriptors"].shape == (8, 8)
    assert (both.actual["valid"] == 1).all()


def test_other_outputs_stay_as_they_are() -> None:
    expected = outputs_of(2, 6)
    actual = expected | {"overall": expected["overall"] + 1}
    both = align(expected, actual, CONTRACT, RADIUS)
    assert both.expected["overall"] is expected["overall"]
    assert both.actual["overall"] is actual["overall"]


def test_keypoints_without_a_counterpart_are_counted_and_left_out() -> None:
    expected, actual = outputs_of(1, 10), outputs_of(1, 10)
    actual["keypoints"][0, :3] += 100
    both = align(expected, actual, CONTRACT, RADIUS)
    assert both.missing == pytest.approx(0.3)
    assert both.expected["scores"].shape == both.actual["scores"].shape == (7,)


@pytest.mark.parametrize(("first", "second", "missing"), [(10, 8, 0.2), (8, 10, 0.2), (10, 0, 1.0), (0, 10, 1.0)])
def test_keypoints_of_one_side_only_are_missing(first: int, second: int, missing: float) -> None:
    both = align(outputs_of(2, 10, first), outputs_of(2, 10, second), CONTRACT, RADIUS)
    assert both.missing == pytest.approx(missing)
    assert len(both.expected["scores"]) == 2 * min(first, second)


def test_nothing_on_both_sides_misses_nothing() -> None:
    both = align(outputs_of(1, 10, 0), outputs_of(1, 10, 0), CONTRACT, RADIUS)
    assert both.missing == 0
    assert both.expected["keypoints"].shape == both.actual["keypoints"].shape == (0, 2)


def test_padding_is_ignored_whatever_it_holds() -> None:
    expected, actual = outputs_of(1, 10, 6), outputs_of(1, 10, 6)
    actual["keypoints"][0, 6:] = np.nan
    actual["descriptors"][0, 6:] = 1e9
    both = align(expected, actual, CONTRACT, RADIUS)
    assert both.missing == 0
    np.testing.assert_array_equal(both.expected["descriptors"], both.actual["descriptors"])


def test_without_a_mask_every_row_counts() -> None:
    outputs = tuple(port for port in CONTRACT.outputs if port.name != "valid")
    contract = Contract(CONTRACT.kind, CONTRACT.inputs, outputs)
    expected = {name: array for name, array in outputs_of(1, 10).items() if name != "valid"}
    both = align(expected, permuted(expected, [list(range(9, -1, -1))]), contract, RADIUS)
    assert both.missing == 0
    assert both.actual["keypoints"].shape == (10, 2)


def test_a_matcher_is_left_alone() -> None:
    contract = Contract(Kind.matcher, CONTRACT.inputs, (Port("scores", SLOTS),))
    expected, actual = {"scores": np.zeros((1, 2))}, {"scores": np.ones((1, 2))}
    both = align(expected, actual, contract, RADIUS)
    assert (both.expected, both.actual, both.missing) == (expected, actual, 0.0)


def test_pairs_are_mutual_nearest_neighbours_within_the_radius() -> None:
    first = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    second = np.array([[30.5, 0.0], [20.6, 0.0], [0.1, 0.0], [0.2, 0.0]])
    rows, columns = nearest_pairs(first, second, 0.5)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 2), (3, 0)]


def test_two_points_never_share_a_counterpart() -> None:
    crowd, alone = np.array([[0.0, 0.0], [0.2, 0.0], [0.4, 0.0]]), np.array([[0.25, 0.0]])
    rows, columns = nearest_pairs(crowd, alone, 0.5)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])
    rows, columns = nearest_pairs(alone, crowd, 0.5)
    assert (rows.tolist(), columns.tolist()) == ([0], [1])


def test_large_coordinates_keep_their_precision() -> None:
    """In float32 the difference of squares of such coordinates would be off by whole pixels."""
    first = np.array([[3000.0, 4000.0], [3000.5, 4000.0]], np.float32)
    rows, columns = nearest_pairs(first, first[::-1], 1e-3)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


@pytest.mark.parametrize("shapes", [(0, 3), (3, 0), (0, 0)])
def test_no_points_make_no_pairs(shapes: tuple[int, int]) -> None:
    rows, columns = nearest_pairs(np.zeros((shapes[0], 2)), np.zeros((shapes[1], 2)), 1.0)
    assert rows.shape == columns.shape == (0,)
    assert rows.dtype == columns.dtype == np.intp
