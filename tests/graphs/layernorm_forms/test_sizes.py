"""Sizes of known axes are constants, however the graph takes them from a shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import fuse_layernorms
from enginewright.graphs.layernorm_forms.scope import Scope, scopes
from tests.graphs.layernorm_forms.spelling import EPSILON, SHAPE, Nodes, apart, sample

Write = Callable[[Nodes, str], str]


def last(nodes: Nodes, x: str) -> str:
    return nodes.add("Gather", nodes.add("Shape", x), nodes.store(-1, np.int64), axis=0)


def cast(nodes: Nodes, x: str) -> str:
    return nodes.add("Cast", last(nodes, x), to=TensorProto.FLOAT)


def squeezed(nodes: Nodes, x: str) -> str:
    picked = nodes.add("Gather", nodes.add("Shape", x), nodes.store([3], np.int64), axis=0)
    return nodes.add("Squeeze", picked, nodes.store([0], np.int64))


def unsqueezed(nodes: Nodes, x: str) -> str:
    return nodes.add("Unsqueeze", nodes.add("Identity", last(nodes, x)), nodes.store([0], np.int64))


def ended(nodes: Nodes, x: str) -> str:
    return nodes.add("Shape", x, start=-1)


def scope_of(nodes: Nodes, open_axis: int | None = None) -> Scope:
    model = nodes.model(nodes.add("Sin", "x"))
    if open_axis is not None:
        model.graph.input[0].type.tensor_type.shape.dim[open_axis].dim_param = "open"
    return scopes(model)[0]


@pytest.mark.parametrize("write", [last, cast, squeezed, unsqueezed, ended])
def test_the_size_of_a_known_axis_is_a_number(write: Write) -> None:
    nodes = Nodes()
    name = write(nodes, "x")
    assert scope_of(nodes).number(name) == SHAPE[-1]


@pytest.mark.parametrize("write", [last, cast, squeezed, unsqueezed, ended])
def test_the_size_of_an_open_axis_is_not_but_other_axes_are(write: Write) -> None:
    nodes = Nodes()
    name = write(nodes, "x")
    assert scope_of(nodes, open_axis=3).constant(name) is None
    assert scope_of(nodes, open_axis=0).number(name) == SHAPE[-1]


def test_a_whole_shape_is_an_array_of_its_type() -> None:
    nodes = Nodes()
    whole = nodes.add("Shape", "x")
    real = nodes.add("Cast", whole, to=TensorProto.FLOAT)
    for name, dtype in ((whole, np.int64), (real, np.float32)):
        found = scope_of(nodes).constant(name)
        assert found is not None
        assert found.dtype == dtype
        assert found.tolist() == list(SHAPE)


def beyond(nodes: Nodes) -> str:
    return nodes.add("Gather", nodes.add("Shape", "x"), nodes.store(4, np.int64), axis=0)


def by_data(nodes: Nodes) -> str:
    index = nodes.add("Cast", nodes.add("ReduceMax", "x", keepdims=0), to=TensorProto.INT64)
    return nodes.add("Gather", nodes.add("Shape", "x"), index, axis=0)


def to_bool(nodes: Nodes) -> str:
    return nodes.add("Cast", last(nodes, "x"), to=TensorProto.BOOL)


def cast_data(nodes: Nodes) -> str:
    return nodes.add("Cast", nodes.add("ReduceMax", "x", keepdims=0), to=TensorProto.INT64)


@pytest.mark.parametrize("write", [by_data, to_bool, cast_data])
def test_what_is_no_size_is_no_constant(write: Callable[[Nodes], str]) -> None:
    nodes = Nodes()
    name = write(nodes)
    assert scope_of(nodes).constant(name) is None


def test_an_index_beyond_the_axes_is_left_to_whoever_runs_the_graph() -> None:
    nodes = Nodes()
    name = beyond(nodes)
    model = nodes.model(nodes.add("Sin", "x"))
    scope = Scope(model.graph, scope_of(Nodes()).known)
    assert scope.constant(name) is None


def divided(write: Write, biased: bool = True) -> onnx.ModelProto:
    """Return a LayerNorm whose variance is a sum divided by a size that the graph takes from a shape."""
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    count = nodes.add("Cast", write(nodes, "x"), to=TensorProto.FLOAT)
    if not biased:
        count = nodes.add("Sub", count, nodes.store(1))
    variance = nodes.add("Div", nodes.reduce("ReduceSum", nodes.add("Mul", centred, centred), [-1]), count)
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    return nodes.model(nodes.add("Div", centred, deviation))


@pytest.mark.parametrize("write", [last, squeezed, unsqueezed, ended])
def test_a_variance_divided_by_a_size_is_recognised(write: Write) -> None:
    model = divided(write)
    rewrite = fuse_layernorms(model)
    assert (rewrite.changed, rewrite.left) == (1, ())
    assert layernorm_ops(rewrite.model) == 1
    assert apart(model, rewrite.model, sample()) < 1e-5


def test_a_variance_divided_by_the_size_of_another_axis_is_not() -> None:
    def other(nodes: Nodes, x: str) -> str:
        return nodes.add("Gather", nodes.add("Shape", x), nodes.store(1, np.int64), axis=0)

    assert fuse_layernorms(divided(other)).changed == 0


def test_a_size_is_seen_from_inside_a_branch() -> None:
    nodes = Nodes()
    shape = nodes.add("Shape", "x")
    inner = helper.make_node("Gather", [shape, "index"], ["size"], axis=0)
    index = onnx.numpy_helper.from_array(np.array(2, np.int64), "index")
    end = helper.make_tensor_value_info("size", TensorProto.INT64, [])
    graph = helper.make_graph([inner], "branch", [], [end], [index])
    condition = nodes.store(True, np.bool_)
    nodes.nodes.append(helper.make_node("If", [condition], ["chosen"], then_branch=graph, else_branch=graph))
    found = scopes(nodes.model(nodes.add("Sin", "x")))
    assert [scope.number("size") for scope in found[1:]] == [SHAPE[2], SHAPE[2]]
