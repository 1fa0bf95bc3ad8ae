"""fp32 islands: which nodes compute in fp32, and the refusal of those that should and do not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.casting.islands import check_islands, count_types, exactly, fp32_nodes, layernorm_islands
from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph
from enginewright.graphs.types import tensor_types
from tests.casting.qdq import quantised
from tests.graphs.layernorm_forms.spelling import Nodes, Spelling
from tests.graphs.small import model_of, scaled, tensor, value

HALF, FULL = TensorProto.FLOAT16, TensorProto.FLOAT


def mixed() -> onnx.ModelProto:
    """Return x -> half: scale -> full: norm/square, norm/root -> half: shift -> y, with casts at each shore."""
    nodes = [
        _node("Cast", ["x"], "x_cast_to_fp16", to=HALF),
        _node("Mul", ["x_cast_to_fp16", "factor"], "scale"),
        _node("Cast", ["scale"], "norm/square_input_cast_to_fp32", to=FULL),
        _node("Mul", ["norm/square_input_cast_to_fp32", "norm/square_input_cast_to_fp32"], "norm/square"),
        _node("Sqrt", ["norm/square"], "norm/root"),
        _node("Cast", ["norm/root"], "norm/root_cast_to_fp16", to=HALF),
        _node("Add", ["norm/root_cast_to_fp16", "offset"], "shift"),
        _node("Cast", ["shift"], "y", to=FULL),
    ]
    stored = [tensor("factor", [2.0], "float16"), tensor("offset", [1.0], "float16")]
    model = model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], stored)
    check_graph(model, "mixed")
    return model


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], name=output, **attributes)


def test_every_tensor_has_its_type() -> None:
    types = tensor_types(mixed())
    assert {name for name, kind in types.items() if kind == HALF} == {
        "x_cast_to_fp16", "scale", "norm/root_cast_to_fp16", "shift", "factor", "offset",
    }  # fmt: skip
    assert {name for name, kind in types.items() if kind == FULL} == {
        "x", "norm/square_input_cast_to_fp32", "norm/square", "norm/root", "y",
    }  # fmt: skip


def test_nodes_in_fp32_are_counted_without_casts_and_constants() -> None:
    assert fp32_nodes(mixed()) == 2
    assert fp32_nodes(scaled()) == 1
    constant = helper.make_node("Constant", [], ["one"], value=tensor("one_value", [1.0]))
    index = helper.make_node("Shape", ["x"], ["shape"])
    more = scaled()
    more.graph.node.extend([constant, index])
    assert fp32_nodes(more) == 1


@pytest.mark.parametrize("patterns", [[], ["norm/"], ["norm/square", "norm/root"], [".*root$"], [".*(square|root)"]])
def test_an_island_in_fp32_passes_whatever_the_casts_at_its_shores_are_called(patterns: Sequence[str]) -> None:
    check_islands(mixed(), patterns)


@pytest.mark.parametrize(
    ("pattern", "broken"), [("scale", ["scale"]), (".*", ["scale", "shift"]), ("shift|norm/.*", ["shift"])]
)
def test_an_island_with_a_reduced_node_is_refused(pattern: str, broken: list[str]) -> None:
    with pytest.raises(GraphError, match="nodes that must stay fp32 compute in a reduced type") as caught:
        check_islands(mixed(), ["norm/", pattern])
    assert caught.value.expected == f"fp32 for {pattern}"
    assert caught.value.got == broken


def test_a_node_that_only_takes_a_reduced_type_is_refused() -> None:
    """A comparison gives a bool whatever it compares."""
    model = mixed()
    model.graph.node.append(_node("Greater", ["shift", "offset"], "above"))
    with pytest.raises(GraphError) as caught:
        check_islands(model, ["above"])
    assert caught.value.got == ["above"]


def test_bfloat16_breaks_an_island_too() -> None:
    nodes = [
        _node("Cast", ["x"], "low", to=TensorProto.BFLOAT16),
        _node("Abs", ["low"], "norm"),
        _node("Cast", ["norm"], "y", to=FULL),
    ]
    model = model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))])
    with pytest.raises(GraphError):
        check_islands(model, ["norm"])


@pytest.mark.parametrize("pattern", ["nothing", "square", "norm$", "x_cast_to_fp16"])
def test_a_pattern_that_protects_nothing_is_refused(pattern: str) -> None:
    """Patterns match from the start of a name, as AutoCast's do; a Cast alone is no island."""
    with pytest.raises(GraphError, match="an fp32 island matches no node") as caught:
        check_islands(mixed(), [pattern])
    assert caught.value.got == pattern


def test_a_long_list_of_broken_nodes_is_cut() -> None:
    nodes = [_node("Abs", [f"low{index}"], f"low{index + 1}") for index in range(12)]
    nodes = [_node("Cast", ["x"], "low0", to=HALF), *nodes, _node("Cast", ["low12"], "y", to=FULL)]
    with pytest.raises(GraphError) as caught:
        check_islands(model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))]), ["low"])
    assert caught.value.got == [f"low{index}" for index in range(1, 11)]


@pytest.mark.parametrize("dtype", ["int8", "float8"])
def test_a_node_that_takes_rounded_values_is_no_island_though_they_are_float32(dtype: str) -> None:
    check_islands(quantised(dtype=dtype), ["second", "relu"])
    with pytest.raises(GraphError, match="compute in a reduced type") as caught:
        check_islands(quantised(dtype=dtype), ["first"])
    assert caught.value.got == ["first"]
    with pytest.raises(GraphError, match="matches no node"):
        check_islands(quantised(dtype=dtype), ["x_low"])


def test_types_are_counted_of_tensors_that_are_there() -> None:
    model = mixed()
    model.graph.value_info.append(value("gone", (1, 4), TensorProto.DOUBLE))
    assert count_types(model) == {"float16": 6, "float32": 5}
    assert count_types(quantised(dtype="float8"))["float8e4m3fn"] == 3


def test_a_name_is_matched_as_it_stands() -> None:
    assert re.match(exactly("a.b[0]"), "a.b[0]")
    assert not re.match(exactly("a.b[0]"), "a.b[0]1")
    assert not re.match(exactly("a.b"), "axb")


def two_layernorms() -> onnx.ModelProto:
    nodes = Nodes()
    first = Spelling(square="mul").written(nodes, "x")
    second = Spelling(square="mul").written(nodes, nodes.add("Tanh", first))
    return nodes.model(nodes.add("Exp", second))


def test_an_island_of_each_layernorm_is_found_by_structure_and_named_exactly() -> None:
    model = two_layernorms()
    patterns = layernorm_islands(model, 2)
    assert len(patterns) == 2
    kept = [[node.name for node in model.graph.node if re.match(pattern, node.name)] for pattern in patterns]
    assert [len(names) for names in kept] == [9, 9]
    assert not set(kept[0]) & set(kept[1]), "n1 is no name of the first because n10 is one of the second"
    assert "n9" not in kept[0] + kept[1], "the Tanh between them"


def test_names_are_no_regular_expressions() -> None:
    model = two_layernorms()
    for node in model.graph.node:
        node.name = f"/blocks.0/({node.name})+"
    kept = [node.name for node in model.graph.node for one in layernorm_islands(model, 2) if re.match(one, node.name)]
    assert len(kept) == 18


@pytest.mark.parametrize("name", ["", "n0"])
def test_a_node_without_a_name_of_its_own_is_refused(name: str) -> None:
    model = two_layernorms()
    model.graph.node[1].name = name
    with pytest.raises(GraphError, match="has no name of its own") as caught:
        layernorm_islands(model, 2)
    assert model.graph.node[1].output[0] in str(caught.value.got)


def test_no_layernorm_at_all_is_an_error_unless_the_network_has_none() -> None:
    assert layernorm_islands(scaled(), 0) == []
    with pytest.raises(GraphError, match="the cast stage finds no LayerNorm"):
        layernorm_islands(scaled(), 1)
