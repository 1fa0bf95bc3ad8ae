"""Indices into the other image of a pair follow their keypoints, whatever slots those are in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.comparing.align import align
from enginewright.comparing.measure import measure
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.reference import Arrays

K, RADIUS = 12, 0.5
CONTRACT = Contract(
    kind=Kind.network,
    inputs=(),
    outputs=(
        Port("keypoints", ("images", "keypoints", "xy"), rule=Rule.aligned),
        Port("valid", ("images", "keypoints"), dtype="int32", rule=Rule.aligned),
        Port("matches", ("batch", "keypoints"), dtype="int32", rule=Rule.linked),
        Port("mscores", ("batch", "keypoints"), rule=Rule.aligned),
    ),
)
MATCHES, MSCORES = CONTRACT.outputs[2:]


def outputs_of(pairs: int, seed: int) -> Arrays:
    """Return a merged graph's outputs: keypoints pixels apart, about half of them matched one to one."""
    random = np.random.default_rng(seed)
    points = np.stack([random.permutation(400)[:K] for _ in range(2 * pairs)])
    matches = np.stack([random.permutation(K) for _ in range(pairs)]).astype(np.int32)
    matches[random.random((pairs, K)) < 0.5] = -1
    return {
        "keypoints": np.stack([points % 20, points // 20], axis=-1).astype(np.float32),
        "valid": np.ones((2 * pairs, K), np.int32),
        "matches": matches,
        "mscores": np.where(matches >= 0, random.random((pairs, K)), 0).astype(np.float32),
    }


def shuffled(outputs: Arrays, orders: list[list[int]]) -> Arrays:
    """Return the same result with the keypoints of each image in other slots."""
    places = [np.argsort(order) for order in orders]
    matches = []
    for number, row in enumerate(outputs["matches"]):
        moved = np.append(places[2 * number + 1], -1)[row]  # -1 takes the last, which is -1
        matches.append(moved[orders[2 * number]])
    return {
        "keypoints": np.stack([row[order] for row, order in zip(outputs["keypoints"], orders, strict=True)]),
        "valid": outputs["valid"],
        "matches": np.stack(matches).astype(np.int32),
        "mscores": np.stack([row[order] for row, order in zip(outputs["mscores"], orders[::2], strict=True)]),
    }


@settings(max_examples=60, deadline=None)
@given(data=st.data(), pairs=st.integers(1, 3))
def test_any_permutation_is_no_error(data: st.DataObject, pairs: int) -> None:
    expected = outputs_of(pairs, seed=pairs)
    orders = [data.draw(st.permutations(range(K))) for _ in range(2 * pairs)]
    both = align(expected, shuffled(expected, orders), CONTRACT, RADIUS)
    assert both.missing == 0
    for port in CONTRACT.outputs:
        assert measure(port, both.expected[port.name], both.actual[port.name]).max_abs == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000))
def test_one_match_to_another_keypoint_is_one_difference(seed: int) -> None:
    expected = outputs_of(1, seed)
    actual = {name: array.copy() for name, array in expected.items()}
    slot = seed % K
    actual["matches"][0, slot] = (expected["matches"][0, slot] + 2) % K
    both = align(expected, actual, CONTRACT, RADIUS)
    assert (both.expected["matches"] != both.actual["matches"]).sum() == 1


def test_a_match_to_a_keypoint_that_the_other_lacks_is_a_difference() -> None:
    expected = outputs_of(1, seed=3)
    slot = int(np.flatnonzero(expected["matches"][0] >= 0)[0])
    partner = expected["matches"][0, slot]
    actual = {name: array.copy() for name, array in expected.items()}
    actual["keypoints"][1, partner] += 100
    both = align(expected, actual, CONTRACT, RADIUS)
    assert both.missing > 0
    assert (both.expected["matches"] != both.actual["matches"]).sum() == 1, "both point to it, and it is not the same"


def test_padding_takes_no_part() -> None:
    expected = outputs_of(1, seed=5)
    for name in ("keypoints", "mscores"):
        expected[name][:, -3:] = 0
    expected["valid"][:, -3:] = 0
    expected["matches"][expected["matches"] >= K - 3] = -1
    expected["matches"][:, -3:] = -1
    both = align(expected, expected, CONTRACT, RADIUS)
    assert both.missing == 0
    assert both.expected["matches"].shape == (K - 3,)
    assert (both.expected["matches"] == both.actual["matches"]).all()
