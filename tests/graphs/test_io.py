"""Inputs and outputs of a graph against its contract."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.contract import Contract, Kind, Port
from enginewright.errors import GraphError
from enginewright.graphs.io import check_io, io_types
from tests.graphs.small import model_of, tensor, value

AXES, OPEN = ("batch", "width"), ("batch",)
CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("x", AXES, dynamic=OPEN), Port("mask", AXES, dynamic=OPEN)),
    outputs=(Port("y", AXES, dynamic=OPEN), Port("index", OPEN, dynamic=OPEN, dtype="int32")),
    sizes={"batch": 2, "width": 4},
)
Values = Sequence[onnx.ValueInfoProto]
INPUTS = [value("x", (2, 4)), value("mask", (2, 4))]
OUTPUTS = [value("y", (2, 4)), value("index", (2,), TensorProto.INT32)]


def graph(inputs: Values = INPUTS, outputs: Values = OUTPUTS) -> onnx.ModelProto:
    return model_of([helper.make_node("Mul", ["x", "mask"], ["y"])], inputs, outputs, [tensor("weight", [1.0])])


def opened(batch: str | None) -> onnx.ModelProto:
    inputs = [value("x", (batch, 4)), value("mask", (batch, 4))]
    return graph(inputs, [value("y", (batch, 4)), value("index", (batch,), TensorProto.INT32)])


def test_types_are_listed_in_order_and_weights_are_no_inputs() -> None:
    assert io_types(graph()) == ["x float32 (2, 4)", "mask float32 (2, 4)", "y float32 (2, 4)", "index int32 (2)"]
    assert io_types(opened("batch"))[3] == "index int32 (?)"


def test_a_static_graph_keeps_its_contract() -> None:
    check_io(graph(), CONTRACT, dynamic=False)


@pytest.mark.parametrize("name", ["batch", "s77", None])
def test_a_dynamic_graph_keeps_its_contract_by_open_axes_whatever_their_names(name: str | None) -> None:
    check_io(opened(name), CONTRACT, dynamic=True)


def test_an_axis_that_was_closed_is_refused() -> None:
    with pytest.raises(GraphError, match="not those of its contract") as caught:
        check_io(graph(), CONTRACT, dynamic=True)
    assert "x float32 (?, 4)" in str(caught.value.expected)
    assert "x float32 (2, 4)" in str(caught.value.got)


def test_an_axis_that_was_left_open_is_refused() -> None:
    with pytest.raises(GraphError):
        check_io(opened("batch"), CONTRACT, dynamic=False)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([value("image", (2, 4)), INPUTS[1]], OUTPUTS),
        (INPUTS[:1], OUTPUTS),
        ([*INPUTS, value("more", (2, 4))], OUTPUTS),
        (INPUTS[::-1], OUTPUTS),
        ([value("x", (2, 4), TensorProto.FLOAT16), INPUTS[1]], OUTPUTS),
        ([value("x", (2, 5)), INPUTS[1]], OUTPUTS),
        ([value("x", (2, 4, 1)), INPUTS[1]], OUTPUTS),
        (INPUTS, OUTPUTS[::-1]),
        (INPUTS, OUTPUTS[:1]),
        (INPUTS, [OUTPUTS[0], value("index", (2,), TensorProto.INT64)]),
        (INPUTS, [value("y", (2, None)), OUTPUTS[1]]),
        (INPUTS, [value("y", (4, 2)), OUTPUTS[1]]),
    ],
    ids=[
        "name",
        "one less",
        "one more",
        "order",
        "type",
        "size",
        "rank",
        "outputs",
        "output",
        "int64",
        "open",
        "turned",
    ],
)
def test_any_difference_is_refused(inputs: Values, outputs: Values) -> None:
    found = graph(inputs, outputs)
    with pytest.raises(GraphError) as caught:
        check_io(found, CONTRACT, dynamic=False)
    assert caught.value.expected == ", ".join(io_types(graph()))
    assert caught.value.got == ", ".join(io_types(found))
    assert caught.value.cure == "mend the adapter's contract or its module"
