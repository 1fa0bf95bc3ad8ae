"""Which reduced type a graph computes in, wherever it says so."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.errors import GraphError
from enginewright.graphs.types import reduced_precision, reduced_type, reduced_types
from enginewright.graphs.walk import all_tensors
from tests.casting.qdq import quantised
from tests.graphs.small import model_of, nested, scaled, tensor, value, write

KINDS: dict[int, str] = {
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.FLOAT8E4M3FN: "float8",
    TensorProto.FLOAT8E5M2: "float8",
}


def casting(kind: int) -> onnx.ModelProto:
    """Return x cast to `kind` and back."""
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], to=kind),
        helper.make_node("Cast", ["low"], ["y"], to=TensorProto.FLOAT),
    ]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))])


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.BOOL])
def test_other_types_are_not_reduced(kind: int) -> None:
    assert reduced_type(casting(kind)) is None
    assert reduced_type(scaled()) is None
    assert reduced_type(nested()) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_target_of_a_cast_decides(kind: int) -> None:
    assert reduced_type(casting(kind)) == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cast_deep_inside_decides(kind: int) -> None:
    assert reduced_type(nested("Cast", to=kind)) == KINDS[kind]


def test_another_attribute_of_that_number_does_not() -> None:
    node = helper.make_node("Flatten", ["x"], ["y"], axis=int(TensorProto.FLOAT16))
    assert reduced_type(model_of([node], [value("x", (1, 4))], [value("y", (1, 4))])) is None


def test_every_stored_tensor_decides() -> None:
    names = [found.name for found in all_tensors(nested())]
    assert len(names) == 10
    for name in names:
        model = nested()
        next(found for found in all_tensors(model) if found.name == name).CopyFrom(tensor(name, [1.0], "float16"))
        assert reduced_type(model) == "float16", name


def test_the_value_of_an_operator_that_fills_a_shape_decides() -> None:
    node = helper.make_node("ConstantOfShape", ["shape"], ["y"], value=tensor("fill", [0.0], "float16"))
    shape = tensor("shape", [1, 4], "int64")
    filled = model_of([node], [], [value("y", (1, 4), TensorProto.FLOAT16)], [shape])
    assert reduced_type(filled) == "float16"


def test_a_file_is_read_and_refused_if_it_is_none(tmp_path: Path) -> None:
    assert reduced_precision(write(tmp_path / "low.onnx", casting(TensorProto.FLOAT16))) == "float16"
    assert reduced_precision(write(tmp_path / "full.onnx", scaled())) is None
    (tmp_path / "none.onnx").write_bytes(b"none")
    with pytest.raises(GraphError):
        reduced_precision(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("dtype", "rest"), [("int8", None), ("float8", None), ("int8", "float16"), ("float8", "float16")]
)
def test_a_quantised_graph_is_reduced_whatever_the_rest_is(dtype: str, rest: str | None) -> None:
    model = quantised(dtype=dtype)
    if rest:
        model.graph.initializer.append(tensor("more", [1.0], rest))
    assert reduced_types(model) == {dtype, rest} - {None}
    assert reduced_type(model) == dtype


@pytest.mark.parametrize("operator", ["DynamicQuantizeLinear", "QLinearMatMul", "MatMulInteger", "ConvInteger"])
def test_operators_that_compute_in_int8_decide_deep_inside_too(operator: str) -> None:
    assert reduced_type(nested(operator)) == "int8"


def test_integers_alone_are_indices() -> None:
    stored = tensor("index", [1, 2], "int8")
    model = scaled()
    model.graph.initializer.append(stored)
    assert reduced_types(model) == frozenset()
