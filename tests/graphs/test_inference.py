"""Inference without the weights finds what ONNX finds with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.graphs.files import graph_bytes
from enginewright.graphs.inference import inferred
from tests.graphs.small import model_of, nested, scaled, tensor, value


def weighty() -> onnx.ModelProto:
    """Return x (2, 100) times a weight, reshaped as a stored shape says, with notes and an input for an initializer."""
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Reshape", ["product", "as"], ["y"]),
    ]
    stored = [tensor("weight", np.ones((100, 100))), tensor("as", [4, 50], "int64")]
    inputs = [value("x", (2, 100)), value("weight", (100, 100))]
    model = model_of(nodes, inputs, [value("y", (None, None))], stored)
    model.doc_string, model.graph.doc_string, model.producer_version = "notes", "more", "1"
    model.metadata_props.add(key="a", value="b")
    return model


def typed() -> onnx.ModelProto:
    """Return a model whose weight is bfloat16 and lies in integers."""
    weight = helper.make_tensor("weight", onnx.TensorProto.BFLOAT16, (100, 100), [1.0] * 10_000)
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    kind = onnx.TensorProto.BFLOAT16
    return model_of([node], [value("x", (2, 100), kind)], [value("y", (None, None), kind)], [weight])


@pytest.mark.parametrize("make", [weighty, typed, scaled, nested])
@pytest.mark.parametrize("options", [{}, {"strict_mode": True}, {"data_prop": True}])
def test_the_result_is_that_of_onnx_to_the_byte(make: Callable[[], onnx.ModelProto], options: dict[str, bool]) -> None:
    model = make()
    usual = onnx.shape_inference.infer_shapes(model, **options)
    assert graph_bytes(inferred(model, **options)) == graph_bytes(usual)
    assert model == make(), "the model itself stays as it was"


def test_weights_are_not_handed_over_and_shapes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[onnx.ModelProto] = []
    usual = onnx.shape_inference.infer_shapes

    def watched(model: onnx.ModelProto) -> onnx.ModelProto:
        seen.append(model)
        return usual(model)

    monkeypatch.setattr(onnx.shape_inference, "infer_shapes", watched)
    found = inferred(weighty())
    assert seen[0].ByteSize() * 40 < found.ByteSize()
    shape = next(item for item in found.graph.output if item.name == "y").type.tensor_type.shape
    assert [axis.dim_value for axis in shape.dim] == [4, 50]


def test_what_cannot_be_inferred_is_an_error_where_that_is_asked_for() -> None:
    model = weighty()
    model.graph.initializer[0].CopyFrom(tensor("weight", np.ones((99, 100))))
    del model.graph.input[1]
    with pytest.raises(onnx.shape_inference.InferenceError):
        inferred(model, strict_mode=True)
