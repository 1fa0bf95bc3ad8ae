from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from enginewright.matching.assignment import matches_from_scores


def log(*rows: list[float]) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.array(rows, dtype=np.float32))


def test_each_others_best_match() -> None:
    partners, confidence = matches_from_scores(log([0.1, 0.8], [0.7, 0.2]), 0.1)
    assert partners.tolist() == [1, 0]
    assert confidence == pytest.approx([0.8, 0.7])


def test_best_that_prefers_another_does_not_match() -> None:
    partners, confidence = matches_from_scores(log([0.6, 0.1], [0.5, 0.2]), 0.1)
    assert partners.tolist() == [0, -1]
    assert confidence == pytest.approx([0.6, 0])


def test_threshold_itself_does_not_match() -> None:
    scores = np.log(np.array([[0.25]], dtype=np.float32))
    level = float(np.exp(scores)[0, 0])
    assert matches_from_scores(scores, level)[0].tolist() == [-1]
    assert matches_from_scores(scores, level * 0.99)[0].tolist() == [0]


def test_sides_may_differ_in_size() -> None:
    partners, _ = matches_from_scores(log([0.1, 0.2, 0.9], [0.8, 0.1, 0.1]), 0.1)
    assert partners.tolist() == [2, 0]


def test_nan_and_minus_infinity_match_nothing() -> None:
    scores = np.array([[np.nan, np.nan], [-np.inf, -np.inf]], dtype=np.float32)
    partners, confidence = matches_from_scores(scores, 0.0)
    assert partners.tolist() == [-1, -1]
    assert confidence.tolist() == [0, 0]


def test_one_nan_does_not_spoil_the_others() -> None:
    scores = log([0.1, 0.8], [0.7, 0.2])
    scores[0, 0] = np.nan
    assert matches_from_scores(scores, 0.1)[0].tolist() == [1, 0]


@given(arrays(np.float32, (6, 4), elements=st.floats(-8, 0, width=32)))
def test_no_partner_is_given_twice(scores: np.ndarray) -> None:
    partners, confidence = matches_from_scores(scores, 0.1)
    given_away = partners[partners >= 0]
    assert len(set(given_away)) == len(given_away)
    assert (confidence[partners >= 0] > 0.1).all()
    assert all(scores[row, best] == scores[row].max() for row, best in enumerate(partners) if best >= 0)
