from __future__ import annotations

import numpy as np
import pytest

from enginewright.plots.colours import by_confidence, by_error, groups

ERRORS = np.array([0.2, 1.0, 1.1, 3.0, 4.9, 5.0, 5.1, 80, np.nan])
CONFIDENCE = np.array([1.0, 0.9, 0.89, 0.5, 0.3, 0.2, 0.1, 0.0], np.float32)


def counts(found: list) -> dict[str, int]:  # type: ignore[type-arg]
    return {group.label: len(group) for group in found}


def test_errors_fall_into_the_groups_that_precision_counts() -> None:
    assert counts(by_error(ERRORS)) == {
        "error 0 to 1 px": 2,
        "error 1 to 3 px": 2,
        "error 3 to 5 px": 2,
        "error above 5 px": 2,
        "truth not known": 1,
    }


def test_confidences_fall_into_groups() -> None:
    assert list(counts(by_confidence(CONFIDENCE)).values()) == [2, 2, 2, 2]


@pytest.mark.parametrize("found", [by_error(ERRORS), by_confidence(CONFIDENCE)])
def test_every_match_is_in_one_group_and_no_colour_is_used_twice(found: list) -> None:  # type: ignore[type-arg]
    assert (np.sum([group.chosen for group in found], axis=0) == 1).all()
    assert len({group.colour for group in found}) == len(found)


def test_truth_decides_where_there_is_some() -> None:
    labels = [group.label for group in groups(np.array([0.1, np.nan]), np.array([0.9, 0.9], np.float32))]
    assert labels == ["error 0 to 1 px", "truth not known"]


def test_empty_groups_are_left_out_and_the_best_come_first() -> None:
    found = groups(np.array([9, 0.5, 0.5, 0.5, 2, 2]), np.full(6, 0.9, np.float32))
    assert [group.label for group in found] == ["error 0 to 1 px", "error 1 to 3 px", "error above 5 px"]


def test_confidence_decides_where_no_truth_is_known() -> None:
    (only,) = groups(np.full(2, np.nan), np.array([0.95, 0.99], np.float32))
    assert only.label == "confidence 0.9 to 1"


def test_no_matches_have_no_groups() -> None:
    assert groups(np.zeros(0), np.zeros(0, np.float32)) == []
