"""The operator spelled out: in every opset, over any axes, with and without weights, with its further outputs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decompose_layernorms, decomposed_layernorms, fuse_layernorms
from enginewright.graphs.walk import count_ops
from tests.graphs.layernorm_forms.spelling import SHAPE, Nodes, apart, run, sample


def operator(
    opset: int = 18, axis: int = -1, bias: bool = True, epsilon: float | None = 1e-5, more: int = 0
) -> onnx.ModelProto:
    """Return a model of one LayerNormalization; `more` of its further outputs, mean and inverse, are the model's."""
    nodes = Nodes(opset)
    shape = SHAPE[axis if axis >= 0 else len(SHAPE) + axis :]
    weights = [nodes.store(np.random.default_rng(seed).normal(size=shape)) for seed in range(1 + bias)]
    outputs = ["normal", "mean", "inverse"][: 1 + more]
    node = helper.make_node("LayerNormalization", ["x", *weights], outputs, "norm", axis=axis)
    if epsilon is not None:
        node.attribute.append(helper.make_attribute("epsilon", epsilon))
    nodes.nodes.append(node)
    return nodes.model("normal", more=tuple(outputs[1:]))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([17, 18, 20, 23]),
    st.integers(-4, 3),
    st.booleans(),
    st.sampled_from([None, 0.0, 1e-12, 1e-5, 1e-2]),
)
def test_every_operator_is_spelled_out_and_computes_the_same(
    opset: int, axis: int, bias: bool, epsilon: float | None
) -> None:
    model = operator(opset, axis, bias, epsilon)
    spelled = decompose_layernorms(model)
    assert (spelled.changed, spelled.left) == (1, ())
    assert (layernorm_ops(spelled.model), decomposed_layernorms(spelled.model)) == (0, 1)
    assert apart(model, spelled.model, sample()) < 1e-5
    back = fuse_layernorms(spelled.model)
    assert back.changed == 1
    assert apart(model, back.model, sample()) < 1e-5


@pytest.mark.parametrize(("opset", "as_input"), [(17, False), (18, True), (20, True)])
def test_axes_are_written_as_the_opset_has_them(opset: int, as_input: bool) -> None:
    spelled = decompose_layernorms(operator(opset)).model
    for node in (node for node in spelled.graph.node if node.op_type == "ReduceMean"):
        assert (len(node.input) == 2) is as_input
        assert any(item.name == "axes" for item in node.attribute) is not as_input


def test_the_spelling_is_that_which_autocast_does_not_fuse_back() -> None:
    """It knows the form with Pow, so the square is a product."""
    found = count_ops(decompose_layernorms(operator()).model)
    assert found == {"ReduceMean": 2, "Sub": 1, "Mul": 2, "Add": 2, "Sqrt": 1, "Div": 1, "Identity": 1}


@pytest.mark.parametrize("more", [1, 2])
def test_mean_and_inverse_deviation_keep_their_names_and_values(more: int) -> None:
    model = operator(more=more)
    spelled = decompose_layernorms(model).model
    assert [value.name for value in spelled.graph.output] == ["y", "mean", "inverse"][: 1 + more]
    assert [array.shape for array in run(spelled, sample())] == [array.shape for array in run(model, sample())]
    assert apart(model, spelled, sample()) < 1e-5


def test_several_layers_share_the_constants_that_they_can() -> None:
    nodes = Nodes()
    value, scale = "x", nodes.store(np.ones(8))
    for _ in range(3):
        value = nodes.add("LayerNormalization", value, scale)
    model = nodes.model(value)
    spelled = decompose_layernorms(model)
    assert spelled.changed == 3
    assert len(spelled.model.graph.initializer) == 3, "the scale, one epsilon, one list of axes"
    assert apart(model, spelled.model, sample()) < 1e-5


def test_what_is_no_operator_of_onnx_is_left_as_it_is() -> None:
    model = operator()
    model.graph.node[0].domain = "somebody.else"
    model.opset_import.append(helper.make_opsetid("somebody.else", 1))
    spelled = decompose_layernorms(model)
    assert spelled.changed == 0
    assert count_ops(spelled.model)["LayerNormalization"] == 1


def test_an_axis_from_the_front_needs_the_rank() -> None:
    nodes = Nodes()
    nodes.nodes.append(helper.make_node("Reshape", ["x", "shape"], ["again"]))
    normal = nodes.add("LayerNormalization", "again", nodes.store(np.ones(8)), axis=3)
    model = nodes.model(normal)
    model.graph.input.append(helper.make_tensor_value_info("shape", TensorProto.INT64, ["open"]))
    spelled = decompose_layernorms(model)
    assert spelled.changed == 0
    assert "the rank of again is not known" in spelled.left[0]


def test_an_axis_from_the_back_does_not() -> None:
    model = operator(axis=-1)
    del model.graph.input[0].type.tensor_type.shape.dim[:]
    model.graph.input[0].type.tensor_type.ClearField("shape")
    assert decompose_layernorms(model).changed == 1


def test_the_model_that_was_passed_in_stays_as_it_is() -> None:
    model = operator()
    before = model.SerializeToString(deterministic=True)
    decompose_layernorms(model)
    assert model.SerializeToString(deterministic=True) == before


def test_a_second_run_changes_nothing() -> None:
    first = decompose_layernorms(operator()).model
    again = decompose_layernorms(first)
    assert again.changed == 0
    assert again.model == first


def test_the_same_model_gives_the_same_bytes() -> None:
    first, second = (decompose_layernorms(operator()).model for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)
