"""Nodes that are not quantised read tensors as they were, whoever else reads them rounded."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from enginewright.casting.products import quantised_nodes
from enginewright.casting.strays import spare_others
from enginewright.graphs.files import check_graph
from tests.casting.qdq import quantised


def shared() -> onnx.ModelProto:
    """Return the quantised graph in which three more nodes read its rounded input, as ONNX Runtime leaves it."""
    model = quantised()
    relu = model.graph.node[5]
    assert relu.op_type == "Relu"
    more = [
        helper.make_node("Add", ["first", "x_back"], ["sum"], name="residual"),
        helper.make_node("MatMul", ["x_back", "weight"], ["half"], name="half"),
        helper.make_node("MatMul", ["x_back", "weight_back"], ["other"], name="other"),
    ]
    model.graph.node.extend(more)
    return model


def inputs(model: onnx.ModelProto) -> dict[str, list[str]]:
    return {node.name: list(node.input) for node in model.graph.node}


@pytest.mark.parametrize("excluded", [[], ["oth.*"]])
def test_only_nodes_that_are_wholly_quantised_read_rounded_tensors(excluded: list[str]) -> None:
    model = shared()
    spare_others(model, ["MatMul"], excluded)
    check_graph(model, "spared")
    found = inputs(model)
    assert found["first"] == ["x_back", "weight_back"]
    assert found["residual"] == ["first", "x"]
    assert found["half"] == ["x", "weight"]
    assert found["other"] == (["x", "weight"] if excluded else ["x_back", "weight_back"])
    assert quantised_nodes(model) == (["first"] if excluded else ["first", "other"])


def test_an_operator_that_was_not_asked_for_is_left_alone() -> None:
    model = shared()
    spare_others(model, ["Gemm"], [])
    assert quantised_nodes(model) == []
    assert not any(node.op_type.endswith("Linear") for node in model.graph.node)
    check_graph(model, "spared")


def test_pairs_that_are_read_stay_and_others_go() -> None:
    model = shared()
    spare_others(model, ["MatMul"], [])
    assert sum(node.op_type == "QuantizeLinear" for node in model.graph.node) == 2
    spare_others(model, ["MatMul"], ["first", "other"])
    assert sum(node.op_type.endswith("Linear") for node in model.graph.node) == 0
