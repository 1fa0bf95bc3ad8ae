"""Nodes cut out of their graph: what comes along, which are alike, and that each is a model by itself."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from enginewright.preflight.known import with_known_types
from enginewright.preflight.places import places_of
from enginewright.preflight.regions import Region, element_type, region_of, sizes_of
from tests.preflight.graphs import (
    FLOAT,
    INT64,
    KNOWN,
    UINT8,
    branching,
    convolution,
    dynamic,
    ints,
    model,
    node,
    topk,
    value,
)


def regions(found: onnx.ModelProto) -> dict[str, Region | None]:
    return {place.label: region_of(place) for place in places_of(with_known_types(found, {}))}


def region(found: onnx.ModelProto, label: str) -> Region:
    cut = regions(found)[label]
    assert cut is not None
    return cut


def operators(cut: Region) -> list[str]:
    return [place.node.op_type for place in cut.places]


def chain(*nodes: onnx.NodeProto, **stored: object) -> onnx.ModelProto:
    return model(nodes, [value("x", (1, 64))], [value("y", None)], stored)


def test_a_node_alone_has_its_inputs_and_its_stored_tensors() -> None:
    found = convolution()
    conv, relu = region(found, "conv"), region(found, "relu")
    assert (list(conv.inputs), list(conv.constants)) == (["x"], ["w"])
    assert (list(relu.inputs), list(relu.constants)) == (["c"], [])
    assert sizes_of(relu.inputs["c"]) == (1, 4, 16, 16)


@pytest.mark.parametrize("name", ["nonzero", "deformconv", "topk above the limit", "fp32 attention", "uint8 transpose"])
def test_every_region_is_a_model_that_onnx_accepts(name: str) -> None:
    found = with_known_types(KNOWN[name].graph(), {})
    for cut in regions(found).values():
        assert cut is not None
        onnx.checker.check_model(cut.model(found), full_check=True)


def test_a_computed_size_brings_the_nodes_that_compute_it() -> None:
    found = chain(
        node("Add", ["a", "b"], ["k"], name="sum"),
        node("Abs", ["x"], ["p"], name="abs"),
        node("TopK", ["p", "k"], ["y", "i"], name="top"),
        a=ints(4),
        b=ints(5),
    )
    cut = region(found, "top")
    assert operators(cut) == ["Add", "TopK"]
    assert (list(cut.inputs), sorted(cut.constants)) == (["p"], ["a", "b"])


def test_a_constant_node_comes_along_whatever_its_size() -> None:
    tensor = onnx.numpy_helper.from_array(np.ones((2, 3, 4), np.float32))
    found = chain(node("Constant", [], ["c"], value=tensor), node("Add", ["c", "x"], ["y"], name="add"))
    found.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    assert operators(region(found, "add")) == ["Constant", "Add"]


def test_a_quantised_tensor_brings_the_node_that_quantises() -> None:
    found = chain(
        node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q"),
        node("DequantizeLinear", ["q", "s", "z"], ["y"], name="dq"),
        s=np.array(0.1, np.float32),
    )
    zero = TensorProto(name="z", data_type=TensorProto.FLOAT8E4M3FN, raw_data=b"\0")
    found.graph.initializer.append(zero)
    assert operators(region(found, "dq")) == ["QuantizeLinear", "DequantizeLinear"]


def test_a_producer_that_is_needed_twice_comes_once() -> None:
    found = chain(
        node("Shape", ["x"], ["s"], name="shape"),
        node("Mul", ["s", "s"], ["m"], name="mul"),
        node("Sub", ["m", "s"], ["d"], name="sub"),
        node("Expand", ["x", "d"], ["y"], name="expand"),
    )
    assert operators(region(found, "expand")) == ["Shape", "Mul", "Sub", "Expand"]


def test_a_node_behind_an_unknown_size_has_no_region() -> None:
    nodes = [node("NonZero", ["x"], ["n"], name="find"), node("Transpose", ["n"], ["t"], name="turn")]
    cut = regions(model(nodes, [value("x")], [value("t", None, INT64)]))
    assert cut["find"] is not None
    assert cut["turn"] is None
    assert regions(dynamic())["product"] is None


def test_a_node_with_branches_takes_what_they_capture() -> None:
    cut = region(branching("Relu"), "branch")
    assert sorted(cut.inputs) == ["c", "x"]


def test_a_uint8_tensor_inside_is_followed_by_a_cast_and_one_at_the_end_is_not() -> None:
    nodes = [node("Cast", ["x"], ["b"], name="narrow", to=UINT8), node("Cast", ["b"], ["y"], name="back", to=FLOAT)]
    inside = model(nodes, [value("x")], [value("y")])
    ending = model(nodes[:1], [value("x")], [value("b", kind=UINT8)])
    assert [item.op_type for item in region(inside, "narrow").model(inside).graph.node] == ["Cast", "Cast"]
    alone = region(ending, "narrow").model(ending)
    assert len(alone.graph.node) == 1
    assert element_type(alone.graph.output[0]) == UINT8


def test_nodes_are_alike_whatever_their_names() -> None:
    nodes = [node("Relu", ["x"], ["a"], name="first"), node("Relu", ["a"], ["b"], name="second")]
    nodes.append(node("Relu", ["b"], ["y"], name="third"))
    keys = {cut.key() for cut in regions(model(nodes, [value("x")], [value("y")])).values() if cut}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (topk(8, 64), topk(8, 64, name="other"), True),
        (topk(8, 64), topk(9, 64), False),
        (topk(8, 64), topk(8, 65), False),
        (
            chain(node("Add", ["x", "w"], ["y"], name="top"), w=np.ones((1, 65), np.float32)),
            chain(node("Add", ["x", "v"], ["y"], name="top"), v=np.zeros((1, 65), np.float32)),
            True,
        ),
        (
            chain(node("Add", ["x", "w"], ["y"], name="top"), w=np.ones((1, 65), np.float32)),
            chain(node("Add", ["w", "x"], ["y"], name="top"), w=np.ones((1, 65), np.float32)),
            False,
        ),
        (
            chain(node("Softmax", ["x"], ["y"], name="top", axis=0)),
            chain(node("Softmax", ["x"], ["y"], name="top", axis=1)),
            False,
        ),
        (chain(node("Abs", ["x"], ["y"], name="top")), chain(node("Neg", ["x"], ["y"], name="top")), False),
    ],
)
def test_what_makes_two_nodes_alike(first: onnx.ModelProto, second: onnx.ModelProto, alike: bool) -> None:
    keys = [next(cut.key() for cut in regions(found).values() if cut) for found in (first, second)]
    assert (keys[0] == keys[1]) is alike


def test_a_node_with_subgraphs_is_like_no_other() -> None:
    first, second = region(branching("Relu"), "branch"), region(branching("Relu"), "branch")
    assert first.key() != second.key()
    assert first.key() == first.key()
