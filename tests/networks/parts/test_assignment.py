from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from networks.parts.assignment import MASKED, Assignment, log_sigmoid, mutual_matches, padding_bias

LOGS = st.floats(-20, 0, width=32).map(lambda value: round(value, 1))
"""One decimal: ties are frequent."""


def by_hand(scores: NDArray[np.float32], threshold: float) -> tuple[list[int], list[float]]:
    """Look for mutual best pairs, row by row; of equal scores the first is the best."""
    matches, confidences = [], []
    for i, row in enumerate(scores):
        j = int(row.argmax())
        mutual = int(scores[:, j].argmax()) == i
        confidence = float(np.exp(row[j])) if mutual else 0.0
        confidences.append(confidence)
        matches.append(j if confidence > threshold else -1)
    return matches, confidences


@settings(max_examples=200, deadline=None)
@given(
    scores=st.integers(1, 8).flatmap(lambda count: hnp.arrays(np.float32, (count, count), elements=LOGS)),
    threshold=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_matches_are_the_mutual_best(scores: NDArray[np.float32], threshold: float) -> None:
    matches, confidences = mutual_matches(torch.from_numpy(scores)[None], threshold)
    expected, expected_confidences = by_hand(scores, threshold)
    assert matches[0].tolist() == expected
    assert matches.dtype is torch.int32
    np.testing.assert_allclose(confidences[0].numpy(), expected_confidences, rtol=1e-6)


def test_a_mutual_pair_below_the_threshold_keeps_its_confidence_and_is_no_match() -> None:
    scores = torch.tensor([[[0.05, 1e-6], [1e-6, 0.9]]]).log()
    matches, confidences = mutual_matches(scores, 0.1)
    assert matches.tolist() == [[-1, 1]]
    torch.testing.assert_close(confidences, torch.tensor([[0.05, 0.9]]))


def test_two_rows_that_want_one_column_do_not_both_get_it() -> None:
    scores = torch.tensor([[[0.6, 0.1], [0.8, 0.1]]]).log()
    matches, confidences = mutual_matches(scores, 0.1)
    assert matches.tolist() == [[-1, 0]]
    assert confidences[0, 0] == 0


@pytest.mark.parametrize("value", [-1e30, -1e4, -200.0, -20.0, 0.0, 20.0, 200.0, 1e4, 1e30])
def test_log_sigmoid_is_finite_and_right_everywhere(value: float) -> None:
    ours = log_sigmoid(torch.tensor(value))
    assert torch.isfinite(ours)
    torch.testing.assert_close(ours, torch.nn.functional.logsigmoid(torch.tensor(value)))


def test_a_slot_is_padding_where_its_whole_descriptor_is_zero() -> None:
    descriptors = torch.tensor([[[0.0, 0.0], [0.0, -1e-3], [0.5, -0.5]]])
    assert padding_bias(descriptors).tolist() == [[MASKED, 0.0, 0.0]]


def test_the_mask_is_a_number_that_fp16_holds_and_exp_turns_to_zero() -> None:
    assert torch.isfinite(torch.tensor(4 * MASKED, dtype=torch.float16)), "both softmaxes and both certainties"
    assert torch.tensor(MASKED).exp() == 0


def assignment() -> Assignment:
    torch.manual_seed(0)
    return Assignment(8).eval()


def test_rows_and_columns_of_an_assignment_sum_to_at_most_one() -> None:
    with torch.inference_mode():
        scores = assignment()(torch.randn(4, 6, 8), None)
    assert scores.shape == (2, 6, 6)
    for axis in (1, 2):
        assert (scores.exp().sum(axis) <= 1).all()


def test_masked_scores_fall_below_the_mask_and_the_others_are_those_without_padding() -> None:
    x = torch.randn(2, 6, 8)
    bias = torch.zeros(2, 6)
    bias[0, 4:] = bias[1, 4:] = MASKED
    with torch.inference_mode():
        masked, alone = assignment()(x, bias), assignment()(x[:, :4], None)
    torch.testing.assert_close(masked[:, :4, :4], alone)
    assert (masked[:, 4:] < MASKED / 2).all()
    assert (masked[:, :, 4:] < MASKED / 2).all()


def test_half_precision_survives_a_set_of_padding_only() -> None:
    bias = torch.full((2, 3), MASKED, dtype=torch.float16)
    with torch.inference_mode():
        scores = assignment().half()(torch.randn(2, 3, 8).half(), bias)
    assert torch.isfinite(scores).all()
    assert (mutual_matches(scores, 0.0)[0] == -1).all()
