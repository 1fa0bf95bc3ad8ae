"""Open axes of a contract, the corners of their ranges, and the contract at each."""

from __future__ import annotations

import subprocess
import sys
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.contract.kinds import extractor_contract, matcher_contract
from enginewright.contract.shapes import at, corners, ends, label, open_axes, opened, with_tied
from enginewright.errors import ConfigError
from tests.dag import ROOT

EYES = extractor_contract(batch=2, height=64, width=96, keypoints=32, dimension=8)
HANDS = matcher_contract(batch=2, keypoints=32, dimension=8)


def dynamic(contract: object) -> dict[str, tuple[str, ...]]:
    return {port.name: port.dynamic for port in contract.ports}  # type: ignore[attr-defined]


def test_only_axes_with_a_range_stay_open() -> None:
    found = opened(EYES, {"width": [64, 128]})
    assert dynamic(found) == {"image": ("width",), "keypoints": (), "scores": (), "descriptors": (), "valid": ()}
    assert found.sizes == EYES.sizes
    assert set(dynamic(opened(EYES, {})).values()) == {()}
    assert open_axes(opened(EYES, {})) == []


def test_images_open_with_the_batch_that_decides_them() -> None:
    found = opened(HANDS, {"batch": [1, 4]})
    assert dynamic(found) == {
        "keypoints": ("images",),
        "descriptors": ("images",),
        "matches": ("batch",),
        "mscores": ("batch",),
    }
    assert open_axes(found) == ["batch"]
    assert with_tied({"batch": [1, 4]}) == {"batch": [1, 4], "images": [2, 8]}
    assert with_tied({"batch": [1, 4], "images": [3, 5]})["images"] == [3, 5], "a range of its own is kept"
    assert with_tied({"keypoints": [1, 4]}) == {"keypoints": [1, 4]}


@pytest.mark.parametrize("axis", ["channels", "keypoints", "depth"])
def test_an_axis_that_cannot_open_is_refused(axis: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.ranges names an axis that the network cannot leave open") as caught:
        opened(EYES, {"batch": [1, 4], axis: [1, 8]})
    assert caught.value.got == [axis]
    assert caught.value.expected == ["batch", "height", "width"]


def test_an_extractor_with_three_open_axes_has_eight_corners() -> None:
    ranges = {"batch": [1, 4], "height": [32, 128], "width": [64, 128]}
    found = corners(opened(EYES, ranges), ranges)
    assert [label(corner) for corner in found] == [
        f"batch={batch}, height={height}, width={width}"
        for batch in (1, 4)
        for height in (32, 128)
        for width in (64, 128)
    ]
    assert found[1].shape(found[1].inputs[0]) == (1, 3, 32, 128)
    assert found[1].shape(found[1].outputs[0]) == (1, 32, 2)


def test_a_matcher_has_four_and_its_images_follow() -> None:
    ranges = {"batch": [1, 3], "keypoints": [16, 64]}
    found = corners(opened(HANDS, ranges), ranges)
    assert len(found) == 4
    assert {corner.sizes["images"] for corner in found} == {2, 6}
    assert [label(corner) for corner in found][-1] == "batch=3, keypoints=64"
    first = found[0]
    assert [first.shape(port) for port in first.ports] == [(2, 16, 2), (2, 16, 8), (1, 16), (1, 16)]


def test_the_static_shape_is_no_corner_even_where_it_is_an_end() -> None:
    ranges = {"batch": [2, 4], "height": [64, 64]}
    assert [label(corner) for corner in corners(opened(EYES, ranges), ranges)] == ["batch=4, height=64"]
    assert corners(EYES, {}) == []
    assert corners(EYES, {"batch": [2, 2]}) == []


def test_a_static_contract_has_no_label() -> None:
    assert label(opened(EYES, {})) == ""


def test_sizes_of_a_corner_replace_those_of_the_contract() -> None:
    assert at(EYES, {"height": 16}).sizes == EYES.sizes | {"height": 16}
    assert "images" not in at(EYES, {"batch": 8}).sizes
    assert at(HANDS, {"batch": 8}).sizes == HANDS.sizes | {"batch": 8, "images": 16}
    assert at(HANDS, {}) == HANDS


@given(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 9), st.integers(1, 9)).map(sorted), max_size=4)
)
def test_every_combination_of_ends_comes_once(ranges: dict[str, list[int]]) -> None:
    found = ends(ranges)
    assert len(found) == prod(len(set(pair)) for pair in ranges.values())
    assert len({tuple(sizes.items()) for sizes in found}) == len(found)
    for sizes in found:
        assert list(sizes) == list(ranges)
        assert all(size in ranges[axis] for axis, size in sizes.items())


def test_no_torch_is_needed() -> None:
    code = "import sys, enginewright.contract.shapes; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "numpy", "omegaconf"} & set(done.stdout.split())
