"""Counting LayerNormalization operators, and refusing a graph that lost its form."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from enginewright.config.choices import Form
from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph
from enginewright.graphs.layernorm import check_form, layernorm_ops
from tests.graphs.small import model_of, nested, tensor, value


def normalising(layers: int) -> onnx.ModelProto:
    """Return x (1, 4) through `layers` LayerNormalization operators."""
    nodes = [
        helper.make_node("LayerNormalization", [f"x{index}", "weight"], [f"x{index + 1}"]) for index in range(layers)
    ]
    nodes.append(helper.make_node("Identity", [f"x{layers}"], ["y"]))
    model = model_of(nodes, [value("x0", (1, 4))], [value("y", (1, 4))], [tensor("weight", [1.0] * 4)])
    check_graph(model, "normalising")
    return model


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_operators_are_counted(layers: int) -> None:
    assert layernorm_ops(normalising(layers)) == layers


def test_operators_in_subgraphs_and_functions_are_counted() -> None:
    assert layernorm_ops(nested("LayerNormalization")) == 4


def test_each_form_is_recognised() -> None:
    check_form(normalising(2), Form.native, 2, "the exporter")
    check_form(normalising(0), Form.decomposed, 2, "the exporter")
    check_form(normalising(0), Form.native, 0, "the exporter")


@pytest.mark.parametrize(
    ("found", "form", "layers", "wanted"),
    [(0, Form.native, 2, 2), (1, Form.native, 2, 2), (3, Form.native, 2, 2), (2, Form.decomposed, 2, 0)],
)
def test_a_changed_form_is_refused(found: int, form: Form, layers: int, wanted: int) -> None:
    with pytest.raises(GraphError, match=f"the tool at opset 16 did not keep the LayerNorm form {form.name}") as caught:
        check_form(normalising(found), form, layers, "the tool at opset 16")
    assert caught.value.expected == f"{wanted} LayerNormalization operators for {layers} calls of LayerNorm"
    assert caught.value.got == found
    assert "exporter, opset or precision" in str(caught.value.cure)
