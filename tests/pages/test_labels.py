from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enginewright.pages.labels import Box, place

POINTS = st.lists(
    st.tuples(st.floats(0, 300), st.floats(0, 200), st.text("abc-", min_size=1, max_size=12)), max_size=25
)


def test_a_lone_name_stands_beside_its_point() -> None:
    (label,) = place([(50, 50, "name")], 12, (300, 200))
    assert label is not None
    assert label.x > 50
    assert abs(label.y - 50) < 12


def test_a_name_that_has_no_room_to_the_right_goes_elsewhere() -> None:
    (label,) = place([(290, 50, "name")], 12, (300, 200))
    assert label is not None
    assert label.x < 290


def test_the_first_are_served_first_and_some_may_have_no_room() -> None:
    labels = place([(10, 20, "the same name")] * 20, 12, (130, 40))
    assert labels[0] is not None
    assert None in labels


def test_the_firm_ones_have_a_name_though_it_lies_on_a_point() -> None:
    points = [(20.0 + 15 * at, 20.0, f"name {at}") for at in range(20)]
    assert place(points, 12, (330, 34))[0] is None
    assert place(points, 12, (330, 34), firm=1)[0] is not None


@given(POINTS)
def test_no_name_lies_on_another_or_outside(points: list[tuple[float, float, str]]) -> None:
    boxes = []
    for label in place(points, 10, (300, 200)):
        if label is not None:
            top = label.y + 3 - 12.5
            boxes.append(Box(label.x, top, label.x + 5.4 * len(label.text), top + 12.5))
    assert all(box.left >= -1e-6 and box.right <= 300 + 1e-6 for box in boxes)
    for number, box in enumerate(boxes):
        inner = Box(box.left + 0.01, box.top + 0.01, box.right - 0.01, box.bottom - 0.01)
        assert not any(inner.overlaps(other) for other in boxes[number + 1 :])
