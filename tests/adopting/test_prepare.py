"""Opset, shapes and form, and the inputs that are constants."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.adopting.prepare import at_opset, layernorms_in, prepared
from enginewright.config.choices import Form
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import GraphError
from enginewright.graphs.io import check_io
from enginewright.graphs.walk import opset_of
from tests.adopting.files import simple, transformer

CONTRACT = Contract(
    Kind.network,
    (Port("x", ("batch", "x[1]"), ("batch",)),),
    (Port("y", ("y[0]", "y[1]"), ("y[0]",)),),
    {"batch": 2, "x[1]": 3, "y[0]": 2, "y[1]": 3},
)


@pytest.mark.parametrize("dynamic", [False, True])
def test_shapes_are_the_contracts(dynamic: bool) -> None:
    model = prepared(simple(), CONTRACT, 17, Form.native, dynamic).model
    check_io(model, CONTRACT, dynamic)
    first = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert (first.dim_param, first.dim_value) == (("batch", 0) if dynamic else ("", 2))


def test_what_was_said_of_values_between_is_forgotten() -> None:
    model = simple(helper.make_node("Sin", ["x"], ["z"]), helper.make_node("Cos", ["z"], ["y"]))
    model.graph.value_info.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 3]))
    assert not prepared(model, CONTRACT, 17, Form.native, False).model.graph.value_info


def test_an_input_with_a_stored_default_becomes_a_constant() -> None:
    weight = numpy_helper.from_array(np.ones(3, np.float32), "weight")
    model = simple(helper.make_node("Add", ["x", "weight"], ["y"]), stored=(weight,))
    model.graph.input.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [3]))
    found = prepared(model, CONTRACT, 17, Form.native, False).model
    assert [value.name for value in found.graph.input] == ["x"]
    assert [tensor.name for tensor in found.graph.initializer] == ["weight"]


@pytest.mark.parametrize("opset", [16, 17, 18, 20, 23])
def test_a_file_is_converted_to_the_opset_asked_for(opset: int) -> None:
    found = at_opset(transformer(opset=14), opset)
    assert opset_of(found) == opset
    onnx.checker.check_model(found, full_check=True)
    assert layernorms_in(found) == 5


def test_the_files_own_opset_changes_nothing() -> None:
    model = transformer(opset=17)
    found = at_opset(model, 17)
    assert found == model
    assert found is not model


def test_an_operator_with_no_way_is_refused_with_the_cure() -> None:
    model = simple(helper.make_node("Gelu", ["x"], ["y"]), opset=20)
    with pytest.raises(GraphError, match="cannot convert the file from opset 20 to 17") as caught:
        at_opset(model, 17)
    assert "export.opset=20" in str(caught.value.cure)
    assert at_opset(model, 21).opset_import[0].version == 21


def test_a_version_of_the_file_format_too_old_for_the_opset_is_raised() -> None:
    model = transformer(opset=14)
    model.ir_version = 7
    contract = Contract(
        Kind.network,
        tuple(Port(name, ("batch", "sequence"), dtype="int64") for name in ("input_ids", "attention_mask")),
        (Port("features", ("batch", "sequence", "width")), Port("likeliest", ("batch", "sequence"), dtype="int64")),
        {"batch": 1, "sequence": 4, "width": 16},
    )
    found = prepared(model, contract, 20, Form.native, False)
    assert found.model.ir_version >= 9
    assert found.changed == 5
