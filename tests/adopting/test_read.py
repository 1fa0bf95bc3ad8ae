"""Bytes that are no usable ONNX file are refused, each with its own reason."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from enginewright.adopting.read import read_onnx
from enginewright.errors import EnginewrightError, GraphError
from tests.adopting.files import simple, transformer

DATA = transformer().SerializeToString()


def refused(data: bytes) -> str:
    with pytest.raises(GraphError) as caught:
        read_onnx(data, "model.onnx")
    assert "model.onnx" in str(caught.value)
    return str(caught.value)


def external(location: str) -> bytes:
    tensor = numpy_helper.from_array(np.ones(3, np.float32), "weight")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    node = helper.make_node("Add", ["x", "weight"], ["y"])
    return bytes(simple(node, stored=(tensor,)).SerializeToString())


def test_a_whole_file_is_read() -> None:
    assert read_onnx(DATA, "model.onnx") == transformer()


@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "../../outside.bin", "a/../../b", ""])
def test_tensors_in_other_files_are_refused_wherever_they_lie(location: str) -> None:
    assert "keeps the tensor weight in another file" in refused(external(location))


def test_so_are_those_of_a_constant_in_a_branch() -> None:
    tensor = onnx.TensorProto.FromString(numpy_helper.from_array(np.ones(3, np.float32), "inner").SerializeToString())
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    constant = helper.make_node("Constant", [], ["value"], value=tensor)
    out = helper.make_tensor_value_info("value", TensorProto.FLOAT, [3])
    branch = helper.make_graph([constant], "branch", [], [out])
    flag = numpy_helper.from_array(np.array(True), "flag")
    node = helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)
    assert "in another file" in refused(simple(node, stored=(flag,)).SerializeToString())


@pytest.mark.parametrize("data", [b"", b"not onnx", b"PK\x03\x04" + b"\0" * 100, b"\x80\x02}q\0.", b"\x08\x08"])
def test_other_files_are_refused(data: bytes) -> None:
    assert "model.onnx" in refused(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float) -> None:
    refused(DATA[: int(len(DATA) * share)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_damaged_byte_is_refused_or_harmless_but_never_a_crash(place: int, change: int) -> None:
    data = bytearray(DATA)
    data[place] ^= change
    try:
        read_onnx(bytes(data), "model.onnx")
    except EnginewrightError as error:
        assert "model.onnx" in str(error)  # noqa: PT017 - either outcome is right, another exception is not


@pytest.mark.parametrize("opset", [0, 99, 1 << 40])
def test_an_opset_that_does_not_exist_is_refused(opset: int) -> None:
    model = transformer()
    model.opset_import[0].version = opset
    assert "operators that do not exist" in refused(model.SerializeToString())


def test_no_opset_at_all_is_refused() -> None:
    model = transformer()
    del model.opset_import[:]
    assert "names no version" in refused(model.SerializeToString())
    model.opset_import.append(helper.make_opsetid("somebody.else", 1))
    assert "do not exist" in refused(model.SerializeToString())


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_a_file_of_reduced_precision_is_refused_since_precision_is_a_stage(kind: int) -> None:
    weight = numpy_helper.from_array(np.ones(3, helper.tensor_dtype_to_np_dtype(kind)), "weight")
    node = helper.make_node("Add", ["x", "weight"], ["y"])
    text = refused(simple(node, stored=(weight,), kind=kind, out=kind).SerializeToString())
    assert "float16 already" in text
    assert "precision=" in text


def test_what_breaks_onnxs_rules_is_refused_in_the_checkers_words() -> None:
    assert "does not pass the ONNX checker" in refused(
        simple(helper.make_node("Sin", ["z"], ["y"])).SerializeToString()
    )
    assert "nosuch" in refused(simple(helper.make_node("nosuch", ["x"], ["y"])).SerializeToString())


def test_a_local_function_is_inlined() -> None:
    function = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    model = simple(helper.make_node("Twice", ["x"], ["y"], domain="own"))
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    read = read_onnx(model.SerializeToString(), "model.onnx")
    assert [node.op_type for node in read.graph.node] == ["Add"]
    assert not read.functions
