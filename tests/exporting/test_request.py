"""What exporters are asked for."""

from __future__ import annotations

import dataclasses

import torch

from enginewright.contract import Contract, Kind, Port
from enginewright.exporting.request import ExportRequest

CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("image", ("batch", "rows")), Port("index", ("rows",), dtype="int64")),
    outputs=(Port("first", ("batch",)), Port("second", ("batch",))),
    sizes={"batch": 2, "rows": 5},
)
REQUEST = ExportRequest(CONTRACT, 20, dynamic=False)


def test_names_are_those_of_the_contract_in_its_order() -> None:
    assert REQUEST.input_names == ["image", "index"]
    assert REQUEST.output_names == ["first", "second"]


def test_examples_have_the_shapes_and_types_of_the_contract() -> None:
    image, index = REQUEST.example_inputs()
    assert (image.shape, image.dtype) == ((2, 5), torch.float32)
    assert (index.shape, index.dtype) == ((5,), torch.int64)
    assert len(set(image.flatten().tolist())) == 10
    assert float(image.min()) >= 0
    assert float(image.max()) < 1


def test_examples_are_the_same_every_time() -> None:
    for first, second in zip(REQUEST.example_inputs(), REQUEST.example_inputs(), strict=True):
        assert torch.equal(first, second)


def test_examples_follow_the_sizes() -> None:
    wider = dataclasses.replace(CONTRACT, sizes={"batch": 1, "rows": 7})
    assert [tuple(found.shape) for found in ExportRequest(wider, 20, True).example_inputs()] == [(1, 7), (7,)]
