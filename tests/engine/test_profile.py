from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.engine.bindings import Binding
from enginewright.engine.profile import Range, profile_of
from enginewright.errors import ConfigError

IMAGE = Binding("image", "float32", ("batch", 3, "height", "width"))
POINTS = Binding("points", "float32", ("batch", 1024, 2))
FIXED = Binding("fixed", "float32", (1, 3))
BEST = {"image": (2, 3, 512, 640), "points": (2, 1024, 2), "fixed": (1, 3)}
RANGES = {"batch": [1, 8], "height": [256, 1024], "width": [256, 1024]}


def test_a_static_graph_has_no_profile() -> None:
    assert profile_of((FIXED,), BEST, {}) == {}
    assert profile_of((FIXED,), BEST, RANGES) == {}


def test_each_dynamic_input_gets_its_least_best_and_largest_shape() -> None:
    assert profile_of((IMAGE, FIXED, POINTS), BEST, RANGES) == {
        "image": Range((1, 3, 256, 256), (2, 3, 512, 640), (8, 3, 1024, 1024)),
        "points": Range((1, 1024, 2), (2, 1024, 2), (8, 1024, 2)),
    }


def test_an_axis_without_a_range_is_named() -> None:
    with pytest.raises(ConfigError, match="the dynamic axis height of the input image has no range") as caught:
        profile_of((IMAGE,), BEST, {"batch": [1, 8]})
    assert caught.value.expected == "model.ranges.height: [min, max], with 512 between them"
    assert caught.value.got == "ranges for ['batch']"


def test_no_ranges_at_all_are_named_so() -> None:
    with pytest.raises(ConfigError, match="axis batch of the input points") as caught:
        profile_of((POINTS,), BEST, {})
    assert caught.value.got == "no ranges"
    assert "export.dynamic=false" in str(caught.value)


def test_images_follow_the_batch_of_pairs() -> None:
    paired = Binding("keypoints", "float32", ("images", "keypoints", 2))
    ranges = {"batch": [1, 3], "keypoints": [8, 64]}
    found = profile_of((paired,), {"keypoints": (4, 32, 2)}, ranges)
    assert found == {"keypoints": Range((2, 8, 2), (4, 32, 2), (6, 64, 2))}
    with pytest.raises(ConfigError, match="axis images of the input keypoints has no range") as caught:
        profile_of((paired,), {"keypoints": (4, 32, 2)}, {"keypoints": [8, 64]})
    assert caught.value.expected == "model.ranges.batch: [min, max], with 2 between them"


def test_an_axis_without_a_name_cannot_have_a_range() -> None:
    nameless = Binding("points", "float32", (-1, 1024, 2))
    with pytest.raises(ConfigError, match="the dynamic axis -1 of the input points has no range"):
        profile_of((nameless,), BEST, RANGES)


@pytest.mark.parametrize("pair", [[3, 8], [1, 1]])
def test_a_range_must_hold_the_size_of_the_reference(pair: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"model\.ranges\.batch leaves out the size") as caught:
        profile_of((POINTS,), BEST, {"batch": pair})
    assert caught.value.expected == "min <= 2 <= max, the size in the reference"
    assert caught.value.got == pair


@given(st.lists(st.tuples(st.booleans(), *[st.integers(1, 5000)] * 3), min_size=1, max_size=5))
def test_least_best_and_largest_are_in_order_on_every_axis(axes: list[tuple[bool, int, int, int]]) -> None:
    rows = [(dynamic, *sorted(sizes)) for dynamic, *sizes in axes]
    shape = tuple(f"axis{index}" if dynamic else best for index, (dynamic, _, best, _) in enumerate(rows))
    ranges = {f"axis{index}": [low, high] for index, (_, low, _, high) in enumerate(rows)}
    best = tuple(size for _, _, size, _ in rows)
    found = profile_of((Binding("x", "float32", shape),), {"x": best}, ranges)
    assert (found == {}) is not any(dynamic for dynamic, *_ in rows)
    for name, sizes in found.items():
        assert name == "x"
        assert sizes.opt == best
        for (dynamic, low, size, high), least, largest in zip(rows, sizes.min, sizes.max, strict=True):
            assert (least, largest) == ((low, high) if dynamic else (size, size))
