"""What a rewriter knows of a graph: makers, readers, constants, shapes, and the same seen from inside a branch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.graphs.layernorm_forms.axes import attribute, axes_of, last_axes
from enginewright.graphs.layernorm_forms.scope import Scope, scopes
from tests.graphs.layernorm_forms.spelling import SHAPE, Nodes
from tests.graphs.layernorm_forms.test_subgraphs import branch, conditional


def main(nodes: Nodes, output: str) -> Scope:
    return scopes(nodes.model(output))[0]


def test_makers_and_readers() -> None:
    nodes = Nodes()
    sine = nodes.add("Sin", "x")
    scope = main(nodes, nodes.add("Add", sine, sine))
    assert scope.makers[sine] == 0
    assert scope.readers[sine] == [1], "a node that reads a value twice is one reader"
    assert scope.readers["x"] == [0]
    assert scope.outputs == {"y"}


@pytest.mark.parametrize("how", ["initializer", "constant", "identity"])
def test_a_constant_is_known_however_it_is_stored(how: str) -> None:
    nodes = Nodes()
    name = nodes.store([1, 2, 3], how=how)
    scope = main(nodes, nodes.add("Sin", "x"))
    np.testing.assert_array_equal(scope.constant(name), np.array([1, 2, 3], np.float32))
    assert scope.is_weight(name)
    assert scope.shape(name) == (3,)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value_float": 2.5}, 2.5),
        ({"value_int": 3}, 3),
        ({"value_floats": [1.5, 1.5]}, 1.5),
        ({"value_string": "a"}, None),
    ],
)
def test_a_constant_written_as_a_plain_attribute(given: dict[str, Any], expected: float | None) -> None:
    nodes = Nodes()
    name = nodes.add("Constant", **given)
    assert main(nodes, nodes.add("Sin", "x")).number(name) == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [(2.0, 2.0), ([2.0], 2.0), ([[2.0, 2.0]], 2.0), ([1.0, 2.0], None), (np.full(5000, 2.0), None), ([], None)],
)
def test_one_number_whatever_its_shape(array: Any, expected: float | None) -> None:
    nodes = Nodes()
    name = nodes.store(array)
    assert main(nodes, nodes.add("Sin", "x")).number(name) == expected


def test_data_is_no_constant_and_no_weight() -> None:
    nodes = Nodes()
    sine = nodes.add("Sin", "x")
    scope = main(nodes, sine)
    for name in ("x", sine, "nosuch"):
        assert scope.constant(name) is None
        assert scope.number(name) is None
        assert not scope.is_weight(name)


@pytest.mark.parametrize(("operator", "weight"), [("Cast", True), ("Sin", False)])
def test_a_weight_follows_from_stored_tensors_by_few_operators(operator: str, weight: bool) -> None:
    nodes = Nodes()
    attributes: dict[str, Any] = {"to": TensorProto.FLOAT16} if operator == "Cast" else {}
    name = nodes.add(operator, nodes.store([1, 2]), **attributes)
    assert main(nodes, nodes.add("Sin", "x")).is_weight(name) is weight


def test_a_branch_sees_the_graph_around_it() -> None:
    outer, first, second = scopes(conditional())
    assert (outer.outer, first.outer, second.outer) == (None, outer, outer)
    for inner in (first, second):
        assert inner.shape("x") == SHAPE
        assert inner.kind("x") == TensorProto.FLOAT
        made = inner.graph.node[0].output[0]
        assert inner.rank(made) == len(SHAPE)
        assert outer.shape(made) is None


def test_a_constant_of_the_graph_around_is_a_constant_inside() -> None:
    nodes = Nodes()
    name = nodes.store([1, 2, 3])
    inner = Nodes(nodes=[helper.make_node("Sin", ["x"], ["inside"])])
    flag = nodes.store(True, np.bool_)
    graph = branch(inner, "inside", "branch")
    chosen = nodes.add("If", flag, then_branch=graph, else_branch=graph)
    _, first, _ = scopes(nodes.model(chosen))
    np.testing.assert_array_equal(first.constant(name), np.array([1, 2, 3], np.float32))
    assert first.number(flag) is None or first.number(flag) == 1


def test_a_branch_reads_what_its_node_reads() -> None:
    outer = scopes(conditional())[0]
    index = next(index for index, node in enumerate(outer.graph.node) if node.op_type == "If")
    assert index in outer.readers["x"]


def reduced(opset: int, axes: list[int] | None, **attributes: Any) -> tuple[onnx.NodeProto, Scope]:
    nodes = Nodes(opset)
    value = nodes.add("ReduceMean", "x", **attributes) if axes is None else nodes.reduce("ReduceMean", "x", axes)
    scope = main(nodes, value)
    return scope.graph.node[0], scope


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize(("axes", "expected"), [([-1], (3,)), ([3, 2], (2, 3)), ([-1, -2], (2, 3)), ([0], (0,))])
def test_axes_are_sorted_and_counted_from_the_front(opset: int, axes: list[int], expected: tuple[int, ...]) -> None:
    node, scope = reduced(opset, axes)
    assert axes_of(node, scope, 4) == expected
    assert axes_of(node, scope, None) == tuple(sorted(axes))


@pytest.mark.parametrize("opset", [17, 18])
def test_no_axes_are_all_axes(opset: int) -> None:
    node, scope = reduced(opset, None)
    assert axes_of(node, scope, 4) == (0, 1, 2, 3)
    assert axes_of(node, scope, None) is None


def test_unless_no_axes_mean_nothing_to_do() -> None:
    node, scope = reduced(18, None, noop_with_empty_axes=1)
    assert axes_of(node, scope, 4) is None


def test_axes_that_depend_on_an_input_are_not_known() -> None:
    nodes = Nodes()
    model = nodes.model(nodes.add("ReduceMean", "x", "axes"))
    model.graph.input.append(helper.make_tensor_value_info("axes", TensorProto.INT64, [1]))
    scope = scopes(model)[0]
    assert axes_of(scope.graph.node[0], scope, 4) is None


@pytest.mark.parametrize(
    ("axes", "last"), [((3,), True), ((2, 3), True), ((0, 1, 2, 3), True), ((2,), False), ((1, 3), False)]
)
def test_the_last_axes(axes: tuple[int, ...], last: bool) -> None:
    assert last_axes(axes, 4) is last


def test_an_attribute_or_its_default() -> None:
    node = helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0)
    assert (attribute(node, "keepdims", 1), attribute(node, "axes", None)) == (0, None)


def test_a_stored_tensor_that_an_input_overrides_is_data() -> None:
    nodes = Nodes()
    name = nodes.store([1.0])
    model = nodes.model(nodes.add("Add", "x", name))
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]))
    scope = scopes(model)[0]
    assert scope.constant(name) is None
    assert not scope.is_weight(name)
    assert numpy_helper.to_array(model.graph.initializer[0]).tolist() == [1.0]
