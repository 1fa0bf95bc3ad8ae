"""The graph contracts that users bind to."""

from __future__ import annotations

import pytest

from enginewright.contract import Contract, Kind, Rule
from enginewright.contract.kinds import extractor_contract, matcher_contract


def test_an_extractors_tensors_are_the_documented_ones() -> None:
    contract = extractor_contract(height=480, width=640, keypoints=512, dimension=64, batch=2, channels=1)
    shapes = {port.name: (contract.shape(port), port.dtype) for port in contract.ports}
    assert contract.kind is Kind.extractor
    assert shapes == {
        "image": ((2, 1, 480, 640), "float32"),
        "keypoints": ((2, 512, 2), "float32"),
        "scores": ((2, 512), "float32"),
        "descriptors": ((2, 512, 64), "float32"),
        "valid": ((2, 512), "int32"),
    }
    assert {port.rule for port in contract.outputs} == {Rule.aligned}


def test_k_of_an_extractor_never_stays_open() -> None:
    contract = extractor_contract(height=480, width=640, keypoints=512, dimension=64)
    assert all("keypoints" not in port.dynamic for port in contract.ports)


@pytest.mark.parametrize("scores", [False, True])
def test_a_matchers_tensors_are_the_documented_ones(scores: bool) -> None:
    contract = matcher_contract(keypoints=512, dimension=128, batch=3, layernorms=18, scores=scores)
    shapes = {port.name: (contract.shape(port), port.dtype) for port in contract.outputs}
    assert contract.kind is Kind.matcher
    assert [contract.shape(port) for port in contract.inputs] == [(6, 512, 2), (6, 512, 128)]
    assert shapes == (
        {"scores": ((3, 512, 512), "float32")}
        if scores
        else {"matches": ((3, 512), "int32"), "mscores": ((3, 512), "float32")}
    )
    assert contract.layernorms == 18


def test_indices_are_compared_as_equal_or_not() -> None:
    contract = matcher_contract(keypoints=8, dimension=4)
    assert {port.name: port.rule for port in contract.outputs} == {"matches": Rule.equal, "mscores": Rule.close}


def test_both_survive_json() -> None:
    for contract in (
        extractor_contract(height=16, width=16, keypoints=4, dimension=8),
        matcher_contract(keypoints=4, dimension=8),
    ):
        assert Contract.from_json(contract.to_json()) == contract
