"""Operators and decomposed LayerNorms in the scaled form: in every opset, over any axes, with further outputs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from enginewright.graphs.layernorm import Forms, forms_of
from enginewright.graphs.layernorm_forms import scale_layernorms
from enginewright.graphs.walk import count_ops, opset_of
from networks.layernorm import ScaledLayerNorm
from tests.graphs.layernorm_forms.spelling import SHAPE, Nodes, Spelling, apart, run, sample
from tests.graphs.layernorm_forms.test_decompose import operator


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([17, 18, 20, 23]),
    st.integers(-4, 3),
    st.booleans(),
    st.sampled_from([None, 1e-12, 1e-8, 1e-5, 0.1]),
)
def test_every_operator_is_scaled_and_computes_the_same(
    opset: int, axis: int, bias: bool, epsilon: float | None
) -> None:
    model = operator(opset, axis, bias, epsilon)
    spelled = scale_layernorms(model)
    assert (spelled.changed, spelled.left) == (1, ())
    assert forms_of(spelled.model) == Forms(0, 0, 1)
    for size in (1e-5, 1.0, 1e5):
        assert apart(model, spelled.model, (size * sample()).astype(np.float32)) < 1e-4


@pytest.mark.parametrize("opset", [16, 17, 20])
@pytest.mark.parametrize("square", ["pow", "mul"])
def test_a_decomposed_one_is_scaled_too(opset: int, square: str) -> None:
    model = Spelling(opset=opset, square=square).model()
    spelled = scale_layernorms(model)
    assert (spelled.changed, spelled.left) == (1, ())
    assert forms_of(model) == Forms(0, 1, 0)
    assert forms_of(spelled.model) == Forms(0, 0, 1)
    assert opset_of(spelled.model) == opset
    assert count_ops(spelled.model)["Pow"] == 0
    assert apart(model, spelled.model, sample()) < 1e-5


@pytest.mark.parametrize(("opset", "as_input"), [(17, False), (18, True), (23, True)])
def test_axes_are_written_as_the_opset_has_them(opset: int, as_input: bool) -> None:
    for node in scale_layernorms(operator(opset)).model.graph.node:
        if node.op_type.startswith("Reduce"):
            assert (len(node.input) == 2) is (as_input or node.op_type == "ReduceSum")


@pytest.mark.parametrize("more", [1, 2])
def test_mean_and_inverse_deviation_keep_their_names_and_values(more: int) -> None:
    model = operator(more=more)
    spelled = scale_layernorms(model).model
    assert [value.name for value in spelled.graph.output] == ["y", "mean", "inverse"][: 1 + more]
    assert [array.shape for array in run(spelled, sample())] == [array.shape for array in run(model, sample())]
    assert apart(model, spelled, sample()) < 1e-5


@pytest.mark.parametrize("epsilon", [1e-5, 1e-12])
def test_it_is_the_module_that_networks_are_swapped_to(epsilon: float) -> None:
    model = scale_layernorms(operator(bias=False, epsilon=epsilon)).model
    weight = torch.from_numpy(np.random.default_rng(0).normal(size=SHAPE[-1]).astype(np.float32))
    module = ScaledLayerNorm(SHAPE[-1], epsilon, bias=False)
    module.load_state_dict({"weight": weight})
    for size in (1e-6, 1.0, 6e4):
        x = (size * sample()).astype(np.float32)
        with torch.no_grad():
            np.testing.assert_allclose(run(model, x)[0], module(torch.from_numpy(x)).numpy(), rtol=1e-5, atol=1e-6)


def test_several_layers_share_their_constants() -> None:
    nodes = Nodes()
    value, scale = "x", nodes.store(np.ones(8))
    for _ in range(3):
        value = nodes.add("LayerNormalization", value, scale)
    spelled = scale_layernorms(nodes.model(value))
    assert spelled.changed == 3
    assert len(spelled.model.graph.initializer) == 6, "scale, axes, a quarter, an eighth, floor and least divisor"


def test_an_operator_over_axes_of_unknown_size_is_left_alone() -> None:
    nodes = Nodes()
    model = nodes.model(nodes.add("LayerNormalization", "x", "scale"))
    del model.graph.input[0].type.tensor_type.shape.dim[-1]
    model.graph.input[0].type.tensor_type.shape.dim.add(dim_param="open")
    model.graph.input.append(helper.make_tensor_value_info("scale", TensorProto.FLOAT, ["open"]))
    spelled = scale_layernorms(model)
    assert spelled.changed == 0
    assert "the size of the last axes of x is not known" in spelled.left[0]


def test_a_second_run_changes_nothing_and_the_same_model_gives_the_same_bytes() -> None:
    first, second = (scale_layernorms(operator()).model for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)
    again = scale_layernorms(first)
    assert again.changed == 0
    assert again.model == first


def test_the_model_that_was_passed_in_stays_as_it_is() -> None:
    model = Spelling(opset=16).model()
    before = onnx.ModelProto()
    before.CopyFrom(model)
    scale_layernorms(model)
    assert model == before
