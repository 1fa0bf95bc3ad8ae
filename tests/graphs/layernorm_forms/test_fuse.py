"""What is fused, what is left alone, and why: one small graph for each case."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.errors import GraphError
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import Rewrite, decomposed_layernorms, fuse_layernorms
from enginewright.graphs.walk import count_ops
from tests.graphs.layernorm_forms.spelling import EPSILON, SHAPE, Nodes, Spelling, apart, run, sample

PLAIN = Spelling()
TOLERANCE = 1e-5


def operators(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type == "LayerNormalization"]


def fused(model: onnx.ModelProto, changed: int, tolerance: float = TOLERANCE) -> Rewrite:
    """Return the rewrite after the checks that hold for every one."""
    before = model.SerializeToString(deterministic=True)
    rewrite = fuse_layernorms(model)
    assert rewrite.changed == changed
    assert model.SerializeToString(deterministic=True) == before, "the model that was passed in must stay as it is"
    assert layernorm_ops(rewrite.model) == layernorm_ops(model) + changed
    assert apart(model, rewrite.model, sample()) < tolerance
    return rewrite


def left(model: onnx.ModelProto, reason: str) -> None:
    """Check that the one LayerNorm of a model is left alone, and that the reason says why."""
    rewrite = fused(model, 0, tolerance=1e-12)
    assert len(rewrite.left) == 1
    assert reason in rewrite.left[0]


def test_the_operator_has_the_weights_and_the_epsilon_of_the_spelling() -> None:
    spelling = Spelling(scale="initializer", bias="initializer", count=2)
    (node,) = operators(fused(spelling.model(), 1).model)
    assert node.input[0] == "x"
    attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    assert attributes["axis"] == -2
    assert attributes["epsilon"] == pytest.approx(EPSILON, rel=1e-6)


def test_stored_weights_of_the_right_shape_are_not_copied() -> None:
    model = PLAIN.model()
    names = {tensor.name for tensor in model.graph.initializer}
    (node,) = operators(fused(model, 1).model)
    assert set(node.input[1:]) <= names


def test_what_nothing_reads_any_more_is_gone() -> None:
    rewrite = fused(PLAIN.model(), 1)
    assert count_ops(rewrite.model) == {"LayerNormalization": 1}
    assert {tensor.name for tensor in rewrite.model.graph.initializer} == set(operators(rewrite.model)[0].input[1:])


def test_a_second_run_changes_nothing() -> None:
    first = fuse_layernorms(PLAIN.model()).model
    again = fuse_layernorms(first)
    assert again.changed == 0
    assert again.model == first


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_one_after_another_all_are_fused(layers: int) -> None:
    nodes = Nodes()
    value = "x"
    for _ in range(layers):
        value = PLAIN.written(nodes, nodes.add("Mul", value, nodes.store(1.5)))
    fused(nodes.model(value), layers)


def test_one_right_behind_the_other() -> None:
    nodes = Nodes()
    fused(nodes.model(PLAIN.written(nodes, PLAIN.written(nodes, "x"))), 2)


def test_a_residual_around_it_is_not_its_bias() -> None:
    nodes = Nodes()
    rewrite = fused(nodes.model(nodes.add("Add", PLAIN.written(nodes, "x"), "x")), 1)
    assert count_ops(rewrite.model)["Add"] == 1


def test_two_of_one_x_that_share_mean_and_variance_are_both_fused() -> None:
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", [-1])
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    halves = [
        nodes.add("Mul", nodes.add("Div", centred, deviation), nodes.store(np.arange(8) + seed)) for seed in (1, 2)
    ]
    rewrite = fused(nodes.model(nodes.add("Add", *halves)), 2)
    assert count_ops(rewrite.model) == {"LayerNormalization": 2, "Add": 1, "Identity": 1}


def test_one_normal_with_two_scales_becomes_one_operator_and_two_products() -> None:
    nodes = Nodes()
    normal = Spelling(scale=None, bias=None).written(nodes, "x")
    halves = [nodes.add("Mul", normal, nodes.store(np.arange(8) + seed)) for seed in (1, 2)]
    rewrite = fused(nodes.model(nodes.add("Add", *halves)), 1)
    assert count_ops(rewrite.model)["Mul"] == 2


@pytest.mark.parametrize(
    ("operator", "kept"), [("Sub", "centred"), ("ReduceMean", "mean"), ("Sqrt", "deviation"), ("Add", "padded")]
)
def test_a_step_that_something_else_reads_keeps_all_steps(operator: str, kept: str) -> None:
    nodes = Nodes()
    normal = PLAIN.written(nodes, "x")
    step = next(node.output[0] for node in nodes.nodes if node.op_type == operator)
    left(nodes.model(nodes.add("Add", normal, nodes.add("Abs", step))), f"{step}, a step of it, is also read by Abs")


@pytest.mark.parametrize("operator", ["Sub", "ReduceMean", "Sqrt", "Pow"])
def test_a_step_that_is_an_output_keeps_all_steps(operator: str) -> None:
    nodes = Nodes()
    normal = PLAIN.written(nodes, "x")
    step = next(node.output[0] for node in nodes.nodes if node.op_type == operator)
    left(nodes.model(normal, more=(step,)), f"{step}, a step of it, is also an output of the graph")


def test_a_step_that_another_layernorm_starts_from_is_kept_for_it() -> None:
    nodes = Nodes()
    first = PLAIN.written(nodes, "x")
    centred = next(node.output[0] for node in nodes.nodes if node.op_type == "Sub")
    second = PLAIN.written(nodes, centred)
    model = nodes.model(nodes.add("Add", first, second))
    rewrite = fuse_layernorms(model)
    assert any("is what another LayerNorm starts from" in reason for reason in rewrite.left)
    assert apart(model, rewrite.model, sample()) < TOLERANCE


def test_the_scaled_value_before_the_bias_may_be_an_output() -> None:
    """Then the operator ends there, and the bias is added behind it."""
    nodes = Nodes()
    normal = PLAIN.written(nodes, "x")
    scaled = next(node.output[0] for node in reversed(nodes.nodes) if node.op_type == "Mul")
    rewrite = fused(nodes.model(normal, more=(scaled,)), 1)
    assert operators(rewrite.model)[0].output[0] == scaled
    assert count_ops(rewrite.model)["Add"] == 1


@pytest.mark.parametrize("axes", [[1], [0], [1, 2], [0, 3], [2]])
def test_axes_that_are_not_the_last_are_left_alone(axes: list[int]) -> None:
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", axes)
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), axes)
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    left(nodes.model(nodes.add("Div", centred, deviation)), f"over the axes {axes} of (2, 3, 4, 8)")


def test_mean_and_variance_over_different_axes_are_no_layernorm() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-2, -1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    left(nodes.model(nodes.add("Div", centred, deviation)), "it looks like a LayerNorm, but ReduceMean ")


def test_a_root_mean_square_is_no_layernorm() -> None:
    nodes = Nodes()
    square = nodes.reduce("ReduceMean", nodes.add("Pow", "x", nodes.store(2)), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", square, nodes.store(EPSILON)))
    assert fused(nodes.model(nodes.add("Div", "x", deviation)), 0).left == ()


@pytest.mark.parametrize(("operator", "number"), [("Mul", 8 / 7), ("Div", 7 / 8), ("Add", -0.25)])
def test_an_unbiased_variance_and_a_negative_epsilon_are_no_layernorm(operator: str, number: float) -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    changed = nodes.add(operator, variance, nodes.store(number))
    fused(nodes.model(nodes.add("Div", centred, nodes.add("Sqrt", nodes.add("Abs", changed)))), 0)


def test_a_sum_that_is_never_divided_is_no_mean() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceSum", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    fused(nodes.model(nodes.add("Div", centred, deviation)), 0)


def test_an_epsilon_outside_the_root_is_no_layernorm() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    deviation = nodes.add("Add", nodes.add("Sqrt", variance), nodes.store(EPSILON))
    fused(nodes.model(nodes.add("Div", centred, deviation)), 0)


def test_no_epsilon_at_all_is_an_epsilon_of_zero() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    rewrite = fused(nodes.model(nodes.add("Div", centred, nodes.add("Sqrt", variance))), 1)
    assert next(item.f for item in operators(rewrite.model)[0].attribute if item.name == "epsilon") == 0


def test_two_different_xs_are_no_layernorm() -> None:
    nodes = Nodes()
    other = nodes.add("Sin", "x")
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    strange = nodes.add("Sub", other, nodes.reduce("ReduceMean", other, [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", strange, strange), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    fused(nodes.model(nodes.add("Div", centred, deviation)), 0)


def test_rows_without_their_axis_in_place_are_not_spread_over_the_wrong_one() -> None:
    """With all axes of one size (4, 4) a mean without its axis broadcasts along the other one."""
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", [-1], keepdims=0)
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    model = nodes.model(nodes.add("Div", centred, deviation), shape=(4, 4))
    assert fuse_layernorms(model).changed == 0


def test_a_scale_on_rows_without_their_axis_is_not_one_along_them() -> None:
    """With all axes of one size (4, 4) a scale for each row looks like one for each column."""
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1], keepdims=0)
    inverse = nodes.add("Reciprocal", nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON))))
    scaled = nodes.add("Mul", inverse, nodes.store(np.arange(1, 5)))
    placed = nodes.add("Unsqueeze", scaled, nodes.store([-1], np.int64))
    model = nodes.model(nodes.add("Mul", centred, placed), shape=(4, 4))
    rewrite = fuse_layernorms(model)
    assert apart(model, rewrite.model, sample((4, 4))) < TOLERANCE
    assert rewrite.changed == 0


@pytest.mark.parametrize(("epsilons", "scales"), [((1e-5, 1e-1), (1.5, 1.5)), ((1e-5, 1e-5), (1.5, 2.5))])
def test_x_and_mean_divided_or_scaled_differently_are_no_layernorm(
    epsilons: tuple[float, float], scales: tuple[float, float]
) -> None:
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", [-1])
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    sides = []
    for value, epsilon, scale in zip(("x", mean), epsilons, scales, strict=True):
        inverse = nodes.add("Reciprocal", nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(epsilon))))
        sides.append(nodes.add("Mul", value, nodes.add("Mul", inverse, nodes.store(scale))))
    fused(nodes.model(nodes.add("Sub", *sides)), 0)


@pytest.mark.parametrize("shape", [(4, 8), (3, 1, 8), (2, 3, 4, 8), (4, 1), (3, 1, 1)])
def test_a_scale_that_varies_over_other_axes_goes_behind_the_operator(shape: tuple[int, ...]) -> None:
    nodes = Nodes()
    normal = Spelling(scale=None, bias=None).written(nodes, "x")
    scale = nodes.store(np.random.default_rng(0).normal(size=shape))
    rewrite = fused(nodes.model(nodes.add("Mul", normal, scale)), 1)
    assert count_ops(rewrite.model)["Mul"] == 1


def test_an_early_scale_that_varies_over_other_axes_goes_behind_the_operator_with_its_bias() -> None:
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", [-1])
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    inverse = nodes.add("Reciprocal", nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON))))
    scaled = nodes.add("Mul", inverse, nodes.store(np.arange(1, 5).reshape(4, 1)))
    rest = nodes.add("Sub", nodes.store(np.arange(8)), nodes.add("Mul", mean, scaled))
    rewrite = fused(nodes.model(nodes.add("Add", nodes.add("Mul", "x", scaled), rest)), 1)
    assert [node.op_type for node in rewrite.model.graph.node] == ["LayerNormalization", "Mul", "Add"]


def test_a_scale_that_depends_on_the_data_is_not_the_operators() -> None:
    nodes = Nodes()
    normal = Spelling(scale=None, bias=None).written(nodes, "x")
    scale = nodes.reduce("ReduceMax", "x", [0, 1, 2], keepdims=0)
    rewrite = fused(nodes.model(nodes.add("Mul", normal, scale)), 1)
    assert count_ops(rewrite.model)["Mul"] == 1


def test_an_input_that_overrides_a_stored_scale_is_data() -> None:
    model = PLAIN.model()
    scale = next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [8])
    model.graph.input.append(helper.make_tensor_value_info(scale.name, TensorProto.FLOAT, [8]))
    (node,) = operators(fused(model, 1).model)
    assert scale.name not in node.input


def test_a_weight_stored_as_fp16_and_cast_is_a_weight() -> None:
    nodes = Nodes()
    normal = Spelling(scale=None, bias=None).written(nodes, "x")
    scale = nodes.add("Cast", nodes.store(np.arange(8), np.float16), to=TensorProto.FLOAT)
    assert operators(fused(nodes.model(nodes.add("Mul", normal, scale)), 1).model)[0].input[1] == scale


def test_many_numbers_without_a_scale_are_left_alone() -> None:
    """An instance normalisation: the operator would need a million ones for it."""
    nodes = Nodes()
    model = nodes.model(Spelling(scale=None, bias=None, count=2).written(nodes, "x"), shape=(1, 3, 1024, 1024))
    rewrite = fuse_layernorms(model)
    assert rewrite.changed == 0
    assert "1048576 ones" in rewrite.left[0]


@pytest.mark.parametrize("axis", [0, 1])
def test_an_open_axis_before_the_normalised_ones_does_not_matter(axis: int) -> None:
    model = PLAIN.model()
    model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = "open"
    fused(model, 1)


def test_an_open_normalised_axis_is_left_alone() -> None:
    model = Spelling(scale=None, bias=None).model()
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "open"
    left(model, "of (2, 3, 4, ?); the operator takes the last ones, of known size")


def test_opset_16_has_no_operator_to_fuse_into() -> None:
    with pytest.raises(GraphError, match="opset 16 has no LayerNormalization") as caught:
        fuse_layernorms(Spelling(opset=16).model())
    assert "layernorm=decomposed" in str(caught.value.cure)


def test_opset_16_without_a_layernorm_passes() -> None:
    nodes = Nodes(opset=16)
    assert fuse_layernorms(nodes.model(nodes.add("Sin", "x"))).changed == 0


def test_a_name_that_is_taken_already_is_not_used_again() -> None:
    nodes = Nodes()
    nodes.add("Sin", "x", out="layernorm/ones")
    normal = Spelling(scale=None, bias=None).written(nodes, "x")
    fused(nodes.model(nodes.add("Add", normal, "layernorm/ones")), 1)


def test_the_same_model_gives_the_same_bytes() -> None:
    first, second = (fuse_layernorms(Spelling(scale="number").model()).model for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_counting_does_not_change_the_model() -> None:
    model = PLAIN.model()
    before = model.SerializeToString(deterministic=True)
    assert decomposed_layernorms(model) == 1
    assert model.SerializeToString(deterministic=True) == before


def test_the_outputs_compare_as_they_should() -> None:
    """The comparison that all of these tests rest on tells a changed epsilon from a kept one."""
    model = PLAIN.model()
    changed = fuse_layernorms(model).model
    next(item for item in operators(changed)[0].attribute if item.name == "epsilon").f = 1e-2
    assert apart(model, changed, sample()) > TOLERANCE
    assert run(model, sample())[0].shape == SHAPE
