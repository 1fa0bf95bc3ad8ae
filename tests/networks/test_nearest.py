"""Mutual nearest neighbours against a plain loop, with padding, in the graph and through the match stage's reading."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

import networks
from enginewright.config.choices import Exporter, MatcherOutput
from enginewright.config.models import MatcherModel
from enginewright.contract import Kind, Rule
from enginewright.errors import ConfigError
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from enginewright.matching.assignment import matches_from_scores
from networks.nearest import LEAST, Nearest, log_cosines
from networks.parts.assignment import MASKED, padding_bias
from tests.networks.graphs import FORBIDDEN, assert_close, engine_bytes, operators, run_graph

PAIRS, KEYPOINTS, DIMENSION = 3, 40, 16


def section(output: MatcherOutput = MatcherOutput.matches, threshold: float = 0.5) -> MatcherModel:
    return MatcherModel(
        adapter="nearest",
        batch=PAIRS,
        keypoints=KEYPOINTS,
        input_dim=DIMENSION,
        filter_threshold=threshold,
        output=output,
    )


@pytest.fixture
def descriptors() -> Tensor:
    """Return (2B, K, D): image 1 is image 0 in another order, moved a little; the last slots of some are padding."""
    random = torch.Generator().manual_seed(0)
    first = torch.randn(PAIRS, KEYPOINTS, DIMENSION, generator=random)
    order = torch.stack([torch.randperm(KEYPOINTS, generator=random) for _ in range(PAIRS)])
    second = first.gather(1, order.unsqueeze(-1).expand_as(first))
    second = second + 0.3 * torch.randn(second.shape, generator=random)
    first[0, 30:], second[1, 25:], first[2], second[2, :39] = 0.0, 0.0, 0.0, 0.0
    return torch.nn.functional.normalize(torch.stack((first, second), dim=1).flatten(0, 1), dim=-1)


@pytest.fixture
def keypoints() -> Tensor:
    return torch.rand(2 * PAIRS, KEYPOINTS, 2)


def plain(first: Tensor, second: Tensor, threshold: float) -> list[int]:
    """Return for each row of `first` its partner in `second` or -1, by two loops over real descriptors only."""
    real = [[i for i, row in enumerate(side) if row.any()] for side in (first, second)]
    matches = [-1] * len(first)
    for i in real[0]:
        best = max(real[1], key=lambda j: float(first[i] @ second[j]))
        back = max(real[0], key=lambda k: float(first[k] @ second[best]))
        if back == i and float(first[i] @ second[best]) > threshold:
            matches[i] = best
    return matches


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.9, 0.98])
def test_matches_are_those_of_a_plain_loop(descriptors: Tensor, keypoints: Tensor, threshold: float) -> None:
    matches, confidence = Nearest(threshold)(keypoints, descriptors)
    assert (matches.dtype, tuple(matches.shape)) == (torch.int32, (PAIRS, KEYPOINTS))
    for pair in range(PAIRS):
        first, second = descriptors[2 * pair], descriptors[2 * pair + 1]
        assert matches[pair].tolist() == plain(first, second, threshold)
        for i in (matches[pair] >= 0).nonzero()[:, 0]:
            assert abs(confidence[pair, i] - first[i] @ second[matches[pair, i]]) < 1e-5


def test_there_is_something_to_match_and_something_to_refuse(descriptors: Tensor, keypoints: Tensor) -> None:
    counts = [int((Nearest(threshold)(keypoints, descriptors)[0] >= 0).sum()) for threshold in (0.01, 0.9, 0.98)]
    assert counts[0] > counts[1] > counts[2] > 0


def test_padding_never_matches(descriptors: Tensor, keypoints: Tensor) -> None:
    matches, confidence = Nearest(0.01)(keypoints, descriptors)
    assert (matches[0, 30:] == -1).all()
    assert matches[1].max() < 25
    assert (matches[2] == -1).all()
    assert not confidence[2].any()


def test_the_length_of_descriptors_does_not_matter(descriptors: Tensor, keypoints: Tensor) -> None:
    longer = descriptors * torch.linspace(0.1, 20.0, KEYPOINTS).view(1, -1, 1)
    for ours, theirs in zip(Nearest()(keypoints, longer), Nearest()(keypoints, descriptors), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_where_keypoints_lie_does_not_matter(descriptors: Tensor, keypoints: Tensor) -> None:
    for ours, theirs in zip(Nearest()(keypoints, descriptors), Nearest()(-keypoints, descriptors), strict=True):
        assert torch.equal(ours, theirs)


def test_the_first_of_equal_neighbours_is_taken() -> None:
    one = torch.eye(2)[[0, 0]]
    matches, _ = Nearest(0.5)(torch.zeros(2, 2, 2), torch.stack((one, one)))
    assert matches.tolist() == [[0, -1]]


def test_scores_are_the_logarithms_of_cosines(descriptors: Tensor, keypoints: Tensor) -> None:
    (scores,) = Nearest(output=MatcherOutput.scores)(keypoints, descriptors)
    cosines = descriptors[0::2] @ descriptors[1::2].transpose(1, 2)
    alike, padding = cosines > LEAST, cosines == 0
    torch.testing.assert_close(scores[alike].exp(), cosines[alike], atol=1e-6, rtol=0)
    torch.testing.assert_close(scores[~alike & ~padding].exp(), torch.full_like(cosines, LEAST)[~alike & ~padding])
    assert alike.any()
    assert (scores[padding] <= MASKED).all()


def test_scores_read_as_the_match_stage_reads_them_are_the_matches(descriptors: Tensor, keypoints: Tensor) -> None:
    matches, confidence = Nearest(0.7)(keypoints, descriptors)
    (scores,) = Nearest(output=MatcherOutput.scores)(keypoints, descriptors)
    for pair in range(PAIRS):
        partners, certain = matches_from_scores(scores[pair].numpy(), 0.7)
        assert partners.tolist() == matches[pair].tolist()
        np.testing.assert_allclose(certain, confidence[pair], atol=1e-6)


def test_fp16_keeps_the_matches(descriptors: Tensor) -> None:
    scores, half = (log_cosines(found, padding_bias(found)) for found in (descriptors, descriptors.half()))
    assert torch.isfinite(half).all()
    assert torch.equal(half < MASKED / 2, scores < MASKED / 2)
    torch.testing.assert_close(half.float()[scores > -1], scores[scores > -1], atol=5e-3, rtol=0)


@pytest.mark.parametrize("output", list(MatcherOutput))
def test_the_contract_holds_for_the_module(descriptors: Tensor, keypoints: Tensor, output: MatcherOutput) -> None:
    adapter, model = networks.load("nearest"), section(output)
    contract = adapter.contract(model)
    assert contract.kind is Kind.matcher
    assert contract.layernorms == 0
    outputs = adapter.module(model)(keypoints, descriptors)
    for port, found in zip(contract.outputs, outputs, strict=True):
        assert contract.shape(port) == tuple(found.shape)
        assert f"torch.{port.dtype}" == str(found.dtype)
    assert (contract.outputs[0].rule is Rule.equal) == (output is MatcherOutput.matches)


def test_a_threshold_below_which_nothing_can_be_told_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.filter_threshold"):
        networks.load("nearest").module(section(threshold=0.0))


def test_there_is_nothing_to_load() -> None:
    assert not networks.load("nearest").module(section()).state_dict()


@pytest.mark.parametrize(
    ("exporter", "opset", "dynamic"), [(Exporter.torchscript, 16, True), (Exporter.dynamo, 20, False)]
)
@pytest.mark.parametrize("output", list(MatcherOutput))
def test_the_graph_does_the_same_and_keeps_both_inputs(  # noqa: PLR0913, PLR0917 (parameters and fixtures of a test)
    descriptors: Tensor, keypoints: Tensor, exporter: Exporter, opset: int, dynamic: bool, output: MatcherOutput
) -> None:
    contract, module = networks.load("nearest").contract(section(output)), Nearest(0.5, output)
    model: onnx.ModelProto = export(exporter)(module, ExportRequest(contract, opset, dynamic))
    assert [value.name for value in model.graph.input] == ["keypoints", "descriptors"]
    assert not FORBIDDEN & operators(model).keys()
    assert_close(run_graph(model, (keypoints, descriptors)), module(keypoints, descriptors), atol=1e-5)
    if not dynamic:
        assert engine_bytes(model) > 1000
