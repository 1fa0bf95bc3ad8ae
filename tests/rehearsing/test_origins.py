"""Behind casts and quantisation it is the same tensor."""

from __future__ import annotations

from onnx import TensorProto, helper

from enginewright.rehearsing.origins import Origins
from tests.graphs.small import model_of, tensor, value
from tests.rehearsing.graphs import mean_square


def test_casts_between_floats_carry_a_tensor() -> None:
    origins = Origins(mean_square())
    assert [origins.of(name) for name in ("x", "x_low", "square", "y")] == ["x", "x", "square", "quotient"]
    shores = [node.name for node in mean_square().graph.node if origins.is_shore(node)]
    assert shores == ["down", "up"]


def test_a_cast_of_indices_computes() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], "whole", to=TensorProto.INT64),
        helper.make_node("Cast", ["whole"], ["y"], "back", to=TensorProto.FLOAT),
    ]
    origins = Origins(model_of(nodes, [value("x", (4,))], [value("y", (4,))]))
    assert (origins.of("whole"), origins.of("y")) == ("whole", "y")


def test_quantisation_carries_a_tensor_and_what_was_stored_quantised_begins_there() -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], "q"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["rounded"], "dq"),
        helper.make_node("DequantizeLinear", ["stored", "scale", "zero"], ["weight"], "weight_dq"),
        helper.make_node("Mul", ["rounded", "weight"], ["y"], "product"),
    ]
    stored = [tensor("scale", 0.1), tensor("zero", 0, "int8"), tensor("stored", [1, 2, 3, 4], "int8")]
    origins = Origins(model_of(nodes, [value("x", (4,))], [value("y", (4,))], stored))
    assert [origins.of(name) for name in ("rounded", "q", "weight", "y")] == ["x", "x", "weight", "y"]
