"""Counting LayerNormalization operators, and refusing a graph that lost its form."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from onnx import helper

from enginewright.config.choices import Form
from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph
from enginewright.graphs.layernorm import Forms, check_form, check_kept, forms_of, layernorm_ops
from enginewright.graphs.layernorm_forms import Rewrite, decompose_layernorms, scale_layernorms
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
    check_form(normalising(0), Form.native, 0, "the exporter")
    decomposed = decompose_layernorms(normalising(2)).model
    for form in (Form.decomposed, Form.island):
        check_form(decomposed, form, 2, "the exporter")
    check_form(scale_layernorms(normalising(2)).model, Form.scaled, 2, "the exporter")


def test_a_network_may_spell_out_more_normalisations_than_it_has_layers() -> None:
    check_form(decompose_layernorms(normalising(3)).model, Form.decomposed, 2, "the exporter")
    spelled = decompose_layernorms(normalising(1)).model
    check_form(spelled, Form.native, 0, "the exporter")
    check_form(spelled, Form.scaled, 0, "the exporter")


NATIVE, DECOMPOSED, SCALED = "2 operators, 0 decomposed", "0 operators, 2 decomposed", "0 decomposed, 2 scaled"


@pytest.mark.parametrize(
    ("model", "form", "wanted"),
    [
        (normalising(0), Form.native, NATIVE),
        (normalising(1), Form.native, NATIVE),
        (normalising(3), Form.native, NATIVE),
        (decompose_layernorms(normalising(2)).model, Form.native, "2 operators, 2 decomposed"),
        (normalising(2), Form.decomposed, DECOMPOSED),
        (decompose_layernorms(normalising(1)).model, Form.island, DECOMPOSED),
        (scale_layernorms(normalising(2)).model, Form.island, DECOMPOSED),
        (normalising(2), Form.scaled, SCALED),
        (scale_layernorms(normalising(3)).model, Form.scaled, SCALED),
        (decompose_layernorms(normalising(2)).model, Form.scaled, "2 decomposed, 2 scaled"),
    ],
)
def test_a_changed_form_is_refused(model: onnx.ModelProto, form: Form, wanted: str) -> None:
    with pytest.raises(GraphError, match=f"the tool at opset 16 did not keep the LayerNorm form {form.name}") as caught:
        check_form(model, form, 2, "the tool at opset 16")
    assert wanted in str(caught.value.expected)
    assert "for 2 calls of LayerNorm" in str(caught.value.expected)
    assert caught.value.got == str(forms_of(model))
    assert "exporter, opset or precision" in str(caught.value.cure)


def test_what_a_tool_keeps_is_returned() -> None:
    model = scale_layernorms(normalising(2)).model
    assert check_kept(model, model, "the tool", "none") == Forms(0, 0, 2)
    assert check_kept(Forms(0, 0, 2), model, "the tool", "none") == Forms(0, 0, 2)
    plainer = decompose_layernorms(normalising(2)).model
    assert check_kept(Forms(0, 1, 0), plainer, "the tool", "none") == Forms(0, 2, 0)


@pytest.mark.parametrize("rewrite", [decompose_layernorms, scale_layernorms])
def test_a_tool_that_loses_or_fuses_one_is_named(rewrite: Callable[[onnx.ModelProto], Rewrite]) -> None:
    spelled = rewrite(normalising(2)).model
    for after in (normalising(2), rewrite(normalising(1)).model):
        with pytest.raises(GraphError, match="the tool changed the LayerNorm form") as caught:
            check_kept(spelled, after, "the tool", "another tool")
        assert (caught.value.got, caught.value.cure) == (str(forms_of(after)), "another tool")
    with pytest.raises(GraphError, match="the tool changed"):
        check_kept(normalising(2), spelled, "the tool", "another tool")
