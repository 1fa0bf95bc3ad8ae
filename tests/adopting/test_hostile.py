"""Small ONNX files that mean a great deal: sizes that are not there, functions that multiply or never end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.adopting import read
from enginewright.adopting.hostile import MOST_ELEMENTS
from enginewright.errors import GraphError

OPSET = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def model(
    nodes: list[onnx.NodeProto],
    stored: list[TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
) -> onnx.ModelProto:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], stored or [])
    return helper.make_model(graph, opset_imports=OPSET, functions=functions or [], ir_version=9)


def stored(**changes: Any) -> onnx.ModelProto:
    """Return a model that adds a stored tensor, of which some fields are other than they should be."""
    tensor = numpy_helper.from_array(np.ones((1, 4), np.float32), "w")
    for name, value in changes.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    return model([helper.make_node("Add", ["x", "w"], ["y"])], [tensor])


def function(name: str, called: list[str]) -> onnx.FunctionProto:
    names = ["a", *(f"t{index}" for index in range(len(called)))]
    nodes = [
        helper.make_node(kind, [names[index]], [names[index + 1]], domain="" if kind == "Relu" else "own")
        for index, kind in enumerate(called)
    ]
    return helper.make_function("own", name, ["a"], [names[-1]], nodes, OPSET)


def calling(name: str, functions: list[onnx.FunctionProto]) -> onnx.ModelProto:
    return model([helper.make_node(name, ["x"], ["y"], domain="own")], functions=functions)


def refused(found: onnx.ModelProto, words: str) -> None:
    with pytest.raises(GraphError, match=words):
        read.read_onnx(found.SerializeToString(), "hostile.onnx")


def test_the_sound_ones_are_read() -> None:
    read.read_onnx(stored().SerializeToString(), "sound.onnx")
    inlined = read.read_onnx(calling("f", [function("f", ["Relu", "Relu"])]).SerializeToString(), "sound.onnx")
    assert [node.op_type for node in inlined.graph.node] == ["Relu", "Relu"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"raw_data": b"\0" * 15}, "holds 15 bytes for 16"),
        ({"raw_data": b"\0" * 17}, "holds 17 bytes for 16"),
        ({"raw_data": b""}, "holds 0 bytes for 16"),
        ({"dims": [1, 1 << 40]}, "elements, more than"),
        ({"dims": [1 << 31, 1 << 31, 1 << 31]}, "elements, more than"),
        ({"dims": [-1, -4]}, "has the dimensions"),
        ({"dims": [1 << 28, 4]}, "holds 16 bytes for"),
    ],
    ids=str,
)
def test_a_stored_tensor_is_as_large_as_it_says(changes: dict[str, Any], words: str) -> None:
    refused(stored(**changes), words)


@pytest.mark.parametrize("count", [0, 3, 5])
def test_so_is_one_that_lists_its_values(count: int) -> None:
    found = stored()
    found.graph.initializer[0].ClearField("raw_data")
    found.graph.initializer[0].float_data.extend([0.5] * count)
    refused(found, f"holds {count} values for 4")


def test_types_of_which_two_share_a_byte_are_counted_so() -> None:
    for kind, data in ((TensorProto.INT4, b"\x11\x11\x01"), (TensorProto.UINT4, b"\x11\x11\x01")):
        tensor = TensorProto(name="w", data_type=kind, dims=[5], raw_data=data)
        cast = helper.make_node("Cast", ["w"], ["c"], to=TensorProto.FLOAT)
        found = model([cast, helper.make_node("ReduceSum", ["c"], ["s"]), helper.make_node("Add", ["x", "s"], ["y"])])
        found.graph.initializer.append(tensor)
        found.opset_import[0].version = 21
        found.ir_version = 10
        read.read_onnx(found.SerializeToString(), "packed.onnx")
        found.graph.initializer[0].raw_data = data + b"\0"
        refused(found, "holds 4 bytes for 3")


def test_a_function_that_calls_itself_is_refused() -> None:
    refused(calling("f", [function("f", ["f"])]), "its function f calls itself")


def test_so_are_two_that_call_each_other() -> None:
    refused(calling("f", [function("f", ["g"]), function("g", ["f"])]), "calls itself")


def test_functions_that_multiply_are_counted_before_they_are_written_out() -> None:
    chain = [function("f0", ["Relu"] * 4), *(function(f"f{i}", [f"f{i - 1}"] * 4) for i in range(1, 40))]
    refused(calling("f39", chain), r"its functions make \d+ nodes of it")


def test_a_long_chain_is_no_recursion() -> None:
    chain = [function("f0", ["Relu"]), *(function(f"f{i}", [f"f{i - 1}"]) for i in range(1, 5000))]
    refused(calling("f4999", [*chain, function("g", ["g"])]), "its function g calls itself")


def test_what_the_graph_would_make_is_counted_too() -> None:
    large = numpy_helper.from_array(np.array([1 << 20, 1 << 20], np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["c"]),
        helper.make_node("ReduceSum", ["c"], ["s"]),
        helper.make_node("Add", ["x", "s"], ["y"]),
    ]
    refused(model(nodes, [large]), r"the tensor c would be \[1048576, 1048576\]")
    assert MOST_ELEMENTS == 2**31 - 1


def _nested(depth: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "leaf", [], [helper.make_tensor_value_info("y", 1, [1, 4])]
    )
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", 1, [1, 4])])
        if graph.ByteSize() > 1 << 22:
            break
    return helper.make_model(graph, opset_imports=OPSET[:1])


def _deep() -> bytes:
    """Return If in If in If, 10,000 deep: protobuf's fields by hand, since its own writer does not go there."""
    inner = b""
    for _ in range(10_000):
        graph = b"\x0a" + _varint(len(inner)) + inner  # GraphProto.node
        attribute = b"\x32" + _varint(len(graph)) + graph  # AttributeProto.g
        inner = b"\x2a" + _varint(len(attribute)) + attribute  # NodeProto.attribute
    graph = b"\x0a" + _varint(len(inner)) + inner
    return b"\x08\x09" + b"\x3a" + _varint(len(graph)) + graph + b"\x42\x02\x10\x12"


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _groups() -> bytes:
    return b"\x1b" * 100_000  # a group that never ends, in a group that never ends


def _empty_parts() -> bytes:
    graph = b"\x0a\x00" * 11_000_000
    return b"\x3a" + _varint(len(graph)) + graph + b"\x42\x02\x10\x12"


@pytest.mark.parametrize("make", [_deep, _groups, _empty_parts])
def test_depth_and_numbers_are_refused_while_they_are_parsed(make: Callable[[], bytes]) -> None:
    with pytest.raises(GraphError, match=r"hostile\.onnx cannot be used"):
        read.read_onnx(make(), "hostile.onnx")


def test_branches_in_branches_are_refused_or_read_but_never_a_crash() -> None:
    data = _nested(14).SerializeToString()
    with pytest.raises(GraphError):
        read.read_onnx(data, "hostile.onnx")


def _cycle() -> onnx.ModelProto:
    return model([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])])


def _twice() -> onnx.ModelProto:
    return model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Relu", ["x"], ["y"])])


def _stored_twice() -> onnx.ModelProto:
    found = stored()
    found.graph.initializer.append(found.graph.initializer[0])
    return found


def _no_name() -> onnx.ModelProto:
    return model([helper.make_node("Relu", [""], ["y"])])


@pytest.mark.parametrize("make", [_cycle, _twice, _stored_twice, _no_name])
def test_circles_and_names_that_stand_twice_are_refused(make: Callable[[], onnx.ModelProto]) -> None:
    with pytest.raises(GraphError):
        read.read_onnx(make().SerializeToString(), "hostile.onnx")
