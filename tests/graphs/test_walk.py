"""The walk reaches every node and tensor of a model."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from enginewright.graphs.walk import all_messages, all_nodes, all_tensors, count_ops, opset_of, subgraphs
from tests.graphs.small import model_of, nested, scaled, sparse, tensor, value

BRANCHES = ("chosen_then", "chosen_else", "b_then", "b_else")


def test_nodes_of_subgraphs_and_functions_are_counted() -> None:
    counts = count_ops(nested())
    assert counts == {"If": 2, "Again": 1, "Abs": 4, "Constant": 5, "Mul": 8}
    assert counts.total() == len(list(all_nodes(nested()))) == 20
    assert counts["Cast"] == 0


def test_tensors_of_subgraphs_functions_and_attributes_are_found() -> None:
    names = [found.name for found in all_tensors(nested())]
    wanted = [f"{branch}_{kind}" for branch in BRANCHES for kind in ("stored", "constant")]
    assert sorted(names) == sorted([*wanted, "sign", "yes"])


def test_sparse_tensors_and_lists_of_tensors_are_found() -> None:
    model = scaled()
    model.graph.sparse_initializer.append(sparse("few"))
    node = helper.make_node("Custom", ["x"], ["z"], domain="tests", many=[tensor("one", 1.0), tensor("two", 2.0)])
    model.graph.node.append(node)
    model.graph.node.append(helper.make_node("Constant", [], ["c"], sparse_value=sparse("other")))
    names = {found.name for found in all_tensors(model)}
    assert names == {"factor", "few", "few_at", "one", "two", "other", "other_at"}


def test_several_subgraphs_of_one_attribute_are_walked() -> None:
    inner = [nested().graph, scaled().graph]
    node = helper.make_node("Custom", ["x"], ["y"], domain="tests", graphs=inner)
    counts = count_ops(model_of([node], [value("x", (1, 4))], [value("y", (1, 4))]))
    assert counts == {"Custom": 1, "If": 1, "Again": 1, "Abs": 2, "Constant": 2, "Mul": 5}


def test_subgraphs_come_with_the_attribute_that_holds_them() -> None:
    branch, custom = nested().graph.node[0], helper.make_node("Custom", [], [], graphs=[scaled().graph] * 2)
    assert {name: graph.name for name, graph in subgraphs(branch)}.keys() == {"then_branch", "else_branch"}
    assert [name for name, _ in subgraphs(custom)] == ["graphs", "graphs"]
    assert not list(subgraphs(scaled().graph.node[0]))


def test_deeper_subgraphs_are_walked() -> None:
    outer = nested()
    branch = next(item for item in outer.graph.node[0].attribute if item.name == "then_branch")
    branch.g.node.append(nested().graph.node[0])
    assert count_ops(outer)["If"] == 3
    assert count_ops(outer)["Abs"] == 6


def test_the_walk_yields_what_it_is_given_and_stays_out_of_tensors() -> None:
    weight = tensor("weight", [1.0])
    weight.metadata_props.add(key="a", value="b")
    assert list(all_messages(weight)) == [weight]
    model = scaled()
    kinds = {type(item).__name__ for item in all_messages(model)}
    assert next(iter(all_messages(model))) is model
    assert kinds >= {"ModelProto", "GraphProto", "NodeProto", "TensorProto", "ValueInfoProto", "OperatorSetIdProto"}


def test_an_empty_model_has_nothing() -> None:
    assert not count_ops(onnx.ModelProto())
    assert not list(all_tensors(onnx.ModelProto()))


def test_the_opset_is_that_of_the_default_domain() -> None:
    model = scaled()
    assert [entry.domain for entry in model.opset_import] == ["tests", ""]
    assert opset_of(model) == 20
    model.opset_import[1].domain = "ai.onnx"
    assert opset_of(model) == 20
    model.opset_import[1].domain = "other"
    with pytest.raises(StopIteration):
        opset_of(model)
