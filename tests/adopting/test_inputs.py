"""The file's inputs and the configuration's description of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.adopting.inputs import described, inputs_of, output_names, tensor_inputs
from enginewright.config.filled_input import Fill, FilledInput
from enginewright.contract import Port
from enginewright.errors import ConfigError, GraphError
from tests.adopting.files import simple, transformer


def values(*shape: int) -> FilledInput:
    return FilledInput(list(shape), Fill.values)


def test_open_axes_are_dynamic_and_have_the_files_names() -> None:
    found = inputs_of(simple(shape=("batch", 3, None)), {"x": values(2, 3, 5)})
    assert found.ports == (Port("x", ("batch", "x[1]", "x[2]"), ("batch", "x[2]"), "float32"),)
    assert found.sizes == {"batch": 2, "x[1]": 3, "x[2]": 5}


def test_inputs_come_in_the_order_of_the_graph() -> None:
    given = {"attention_mask": values(1, 4), "input_ids": values(1, 4)}
    found = inputs_of(transformer(), given)
    assert [port.name for port in found.ports] == ["input_ids", "attention_mask"]
    assert found.sizes == {"batch": 1, "sequence": 4}


@pytest.mark.parametrize("name", ["?", "", "past + 1", "2 * batch"])
def test_what_names_no_axis_is_named_after_its_tensor(name: str) -> None:
    found = inputs_of(simple(shape=(name or None, 3)), {"x": values(2, 3)})
    assert found.ports[0].axes == ("x[0]", "x[1]")
    assert found.ports[0].dynamic == ("x[0]",)


def test_two_axes_of_one_name_in_one_input() -> None:
    found = inputs_of(simple(shape=("n", "n")), {"x": values(4, 4)})
    assert found.ports[0].axes == ("n", "n")
    with pytest.raises(ConfigError, match="gives the axis n another size"):
        inputs_of(simple(shape=("n", "n")), {"x": values(4, 5)})


def test_an_input_without_a_shape_takes_any() -> None:
    found = inputs_of(simple(shape=None), {"x": values(4, 5)})
    assert found.ports[0].dynamic == ("x[0]", "x[1]")


@pytest.mark.parametrize("given", [{}, {"y": values(1, 3)}, {"x": values(1, 3), "z": values(1)}])
def test_other_names_are_refused_with_what_to_write(given: dict[str, FilledInput]) -> None:
    with pytest.raises(ConfigError, match="does not name the inputs") as caught:
        inputs_of(simple(), given)
    assert caught.value.expected == "x: float32 (batch, 3)"
    assert "x: {shape: [?, 3], fill: values}" in str(caught.value.cure)


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 3, 1)])
def test_a_size_that_the_file_forbids_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"model\.inputs\.x\.shape is not a shape that the file takes") as caught:
        inputs_of(simple(), {"x": values(*shape)})
    assert caught.value.expected == "x: float32 (batch, 3)"


def test_one_axis_in_two_inputs_has_one_size() -> None:
    with pytest.raises(ConfigError, match="gives the axis sequence another size") as caught:
        inputs_of(transformer(), {"input_ids": values(1, 4), "attention_mask": values(1, 5)})
    assert caught.value.got == "4 and 5"


@pytest.mark.parametrize("kind", [TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8])
def test_types_are_the_files(kind: int) -> None:
    model = simple(helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT), kind=kind)
    (port,) = inputs_of(model, {"x": values(1, 3)}).ports
    assert np.dtype(port.dtype) == helper.tensor_dtype_to_np_dtype(kind)


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.COMPLEX64])
def test_what_is_no_number_is_refused(kind: int) -> None:
    model = simple(helper.make_node("Identity", ["x"], ["y"]), kind=kind, out=kind)
    with pytest.raises(GraphError, match="x is no tensor of numbers"):
        inputs_of(model, {"x": values(1, 3)})
    with pytest.raises(GraphError, match="y is no tensor of numbers"):
        output_names(model)


def test_a_sequence_is_refused() -> None:
    model = simple()
    model.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, [1]))
    with pytest.raises(GraphError, match="y is no tensor of numbers") as caught:
        output_names(model)
    assert caught.value.got == "sequence_type"


def test_an_input_with_a_stored_default_need_not_be_described() -> None:
    weight = numpy_helper.from_array(np.ones(3, np.float32), "weight")
    model = simple(helper.make_node("Add", ["x", "weight"], ["y"]), stored=(weight,))
    model.graph.input.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [3]))
    assert [value.name for value in tensor_inputs(model)] == ["x"]
    assert [port.name for port in inputs_of(model, {"x": values(1, 3)}).ports] == ["x"]


def test_outputs_are_named_in_order() -> None:
    assert output_names(transformer()) == ["features", "likeliest"]


@pytest.mark.parametrize(
    ("shape", "text"),
    [((1, 3), "(1, 3)"), (("batch", None), "(batch, ?)"), ((), "()")],
)
def test_an_input_in_words(shape: tuple[Any, ...], text: str) -> None:
    value: onnx.ValueInfoProto = helper.make_tensor_value_info("x", TensorProto.INT32, shape)
    assert described(value) == f"x: int32 {text}"
