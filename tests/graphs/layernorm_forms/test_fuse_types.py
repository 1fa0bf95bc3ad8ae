"""Reduced types and casts: an island is recognised as it stands, and a Cast inside one is never fused away."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decompose_layernorms, fuse_layernorms
from enginewright.graphs.walk import count_ops
from tests.graphs.layernorm_forms.spelling import EPSILON, Nodes, Spelling, apart, run, sample

HALF = TensorProto.FLOAT16
FULL = TensorProto.FLOAT


def island(nodes: Nodes, scale_inside: bool) -> str:
    """Write an fp16 LayerNorm that is computed in fp32 between two casts."""
    x = nodes.add("Cast", "x", to=FULL)
    nodes.kind = FULL
    normal = Spelling(scale="initializer" if scale_inside else None, bias=None).written(nodes, x)
    nodes.kind = HALF
    narrow = nodes.add("Cast", normal, to=HALF)
    return narrow if scale_inside else nodes.add("Mul", narrow, nodes.store(np.arange(8)))


@pytest.mark.parametrize("scale_inside", [True, False])
def test_an_fp32_island_in_an_fp16_graph_is_fused_between_its_casts(scale_inside: bool) -> None:
    nodes = Nodes(kind=HALF)
    model = nodes.model(island(nodes, scale_inside))
    rewrite = fuse_layernorms(model)
    assert (rewrite.changed, rewrite.left) == (1, ())
    made = [node.op_type for node in rewrite.model.graph.node]
    assert made[:3] == ["Cast", "LayerNormalization", "Cast"]
    assert apart(model, rewrite.model, sample(dtype=np.float16)) < 2e-3, "the last fp16 digit may round the other way"


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_a_layernorm_of_a_reduced_type_throughout_is_fused(kind: int) -> None:
    nodes = Nodes(kind=kind)
    model = nodes.model(Spelling(scale=None).written(nodes, "x"))
    rewrite = fuse_layernorms(model)
    onnx.checker.check_model(rewrite.model, full_check=True)
    assert (rewrite.changed, rewrite.left) == (1, ())
    weights = {tensor.name: tensor.data_type for tensor in rewrite.model.graph.initializer}
    assert set(weights.values()) == {kind}, "ones are stored in the type of x"


def test_a_float64_is_left_alone_since_the_operator_computes_in_fp32() -> None:
    nodes = Nodes(kind=TensorProto.DOUBLE)
    rewrite = fuse_layernorms(nodes.model(Spelling().written(nodes, "x")))
    assert rewrite.changed == 0
    assert "it is not of float32" in rewrite.left[0]


def variance_cast(nodes: Nodes) -> str:
    """Write an fp16 LayerNorm whose variance alone is computed in fp32."""
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [-1]))
    wide = nodes.add("Cast", centred, to=FULL)
    nodes.kind = FULL
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", wide, wide), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    nodes.kind = HALF
    return nodes.add("Div", centred, nodes.add("Cast", deviation, to=HALF))


def mean_cast(nodes: Nodes) -> str:
    """Write an fp16 LayerNorm whose mean alone is computed in fp32, from another cast of the same x."""
    wide = nodes.add("Cast", "x", to=FULL)
    mean = nodes.add("Cast", nodes.reduce("ReduceMean", wide, [-1]), to=HALF)
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    return nodes.add("Div", centred, nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON))))


@pytest.mark.parametrize("write", [variance_cast, mean_cast])
def test_a_cast_inside_it_is_a_reason_to_leave_it_alone(write: object) -> None:
    assert callable(write)
    nodes = Nodes(kind=HALF)
    model = nodes.model(write(nodes))
    rewrite = fuse_layernorms(model)
    assert rewrite.changed == 0
    assert len(rewrite.left) == 1
    assert "stands inside it, so that parts of it are computed in another type" in rewrite.left[0]
    assert apart(model, rewrite.model, sample(dtype=np.float16)) == 0


def test_a_cast_that_changes_no_type_does_not_matter() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.add("Cast", nodes.reduce("ReduceMean", "x", [-1]), to=FULL))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    deviation = nodes.add("Sqrt", nodes.add("Add", variance, nodes.store(EPSILON)))
    model = nodes.model(nodes.add("Div", centred, deviation))
    rewrite = fuse_layernorms(model)
    assert (rewrite.changed, count_ops(rewrite.model)["Cast"]) == (1, 0)
    assert apart(model, rewrite.model, sample()) < 1e-5


def operator(kind: int, opset: int = 18) -> onnx.ModelProto:
    nodes = Nodes(opset, kind)
    weights = [nodes.store(np.random.default_rng(seed).normal(size=8)) for seed in (0, 1)]
    return nodes.model(nodes.add("LayerNormalization", "x", *weights, axis=-1, epsilon=EPSILON))


@pytest.mark.parametrize("opset", [17, 18, 23])
def test_a_half_operator_is_spelled_out_between_casts_as_its_definition_has_it(opset: int) -> None:
    model = operator(HALF, opset)
    spelled = decompose_layernorms(model)
    kinds = [node.op_type for node in spelled.model.graph.node]
    assert kinds[0] == "Cast"
    assert kinds[kinds.index("Div") + 1 :] == ["Cast", "Mul", "Add", "Identity"]
    assert apart(model, spelled.model, sample(dtype=np.float16)) < 2e-3


def test_a_half_operator_spelled_out_keeps_what_fp16_cannot_square() -> None:
    """The hazard of the decomposed form: activations of 3e4 squared are Inf in fp16."""
    large = (sample() * 1e4).astype(np.float16)
    spelled = decompose_layernorms(operator(HALF)).model
    assert np.abs(run(spelled, large)[0]).max() > 1
    assert apart(operator(HALF), spelled, large) < 2e-3


def test_a_half_operator_there_and_back_is_one_operator() -> None:
    spelled = decompose_layernorms(operator(HALF)).model
    back = fuse_layernorms(spelled)
    assert (back.changed, back.left, layernorm_ops(back.model)) == (1, (), 1)
    assert apart(spelled, back.model, sample(dtype=np.float16)) < 2e-3


def test_a_bfloat16_operator_is_spelled_out_in_a_graph_that_passes_the_checker() -> None:
    spelled = decompose_layernorms(operator(TensorProto.BFLOAT16))
    onnx.checker.check_model(spelled.model, full_check=True)
    targets = [
        helper.get_attribute_value(node.attribute[0]) for node in spelled.model.graph.node if node.op_type == "Cast"
    ]
    assert targets == [FULL, TensorProto.BFLOAT16]
