"""Both rewrites in the branches of If, in the body of Loop and in local functions."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decompose_layernorms, decomposed_layernorms, fuse_layernorms
from tests.graphs.layernorm_forms.spelling import SHAPE, Nodes, Spelling, apart, sample

OPSET = 18


def branch(nodes: Nodes, value: str, name: str) -> onnx.GraphProto:
    """Return a branch without inputs: it sees the graph around it."""
    out = [helper.make_tensor_value_info(value, TensorProto.FLOAT, list(SHAPE))]
    return helper.make_graph(nodes.nodes, name, [], out, nodes.stored)


def spelled_branch(prefix: str) -> onnx.GraphProto:
    nodes = Nodes(OPSET)
    value = Spelling(bias=None).written(nodes, "x")
    return prefixed(branch(nodes, value, prefix), prefix)


def prefixed(graph: onnx.GraphProto, prefix: str) -> onnx.GraphProto:
    """Give the values that a graph makes or stores a prefix: no inner name may be an outer one."""
    own = {name for node in graph.node for name in node.output} | {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        node.input[:] = [f"{prefix}{name}" if name in own else name for name in node.input]
        node.output[:] = [f"{prefix}{name}" for name in node.output]
    for item in (*graph.initializer, *graph.output):
        item.name = f"{prefix}{item.name}"
    return graph


def conditional() -> onnx.ModelProto:
    """Return a model with a LayerNorm of the same outer x in either branch of an If, chosen by the sum of x."""
    nodes = Nodes(OPSET)
    total = nodes.add("ReduceSum", "x", keepdims=0)
    positive = nodes.add("Greater", total, nodes.store(0))
    chosen = nodes.add("If", positive, then_branch=spelled_branch("then_"), else_branch=spelled_branch("else_"))
    return nodes.model(chosen)


@pytest.mark.parametrize("sign", [1, -1])
def test_both_branches_of_a_condition(sign: int) -> None:
    model = conditional()
    assert decomposed_layernorms(model) == 2
    fused = fuse_layernorms(model)
    assert (fused.changed, fused.left, layernorm_ops(fused.model)) == (2, (), 2)
    assert apart(model, fused.model, sign * sample()) < 1e-5
    spelled = decompose_layernorms(fused.model)
    assert (spelled.changed, layernorm_ops(spelled.model)) == (2, 0)
    assert apart(model, spelled.model, sign * sample()) < 1e-5


def test_constants_of_the_graph_around_serve_a_branch() -> None:
    outer, inner = Nodes(OPSET), Nodes(OPSET)
    value = Spelling().written(inner, "x")
    outer.stored, inner.stored = inner.stored, []
    total = outer.add("ReduceSum", "x", keepdims=0, out="total")
    positive = outer.add("Greater", total, outer.store(0), out="positive")
    graph = branch(inner, value, "branch")
    other = branch(Nodes(OPSET, nodes=[helper.make_node("Sin", ["x"], ["sine"])]), "sine", "other")
    model = outer.model(outer.add("If", positive, then_branch=graph, else_branch=other, out="chosen"))
    fused = fuse_layernorms(model)
    assert (fused.changed, fused.left) == (1, ())
    assert apart(model, fused.model, sample()) < 1e-5
    assert apart(model, fused.model, -sample()) < 1e-5


def test_a_step_that_a_branch_reads_is_kept() -> None:
    nodes = Nodes(OPSET)
    normal = Spelling().written(nodes, "x")
    centred = next(node.output[0] for node in nodes.nodes if node.op_type == "Sub")
    inner = Nodes(OPSET, nodes=[helper.make_node("Abs", [centred], ["inner"])])
    other = Nodes(OPSET, nodes=[helper.make_node("Identity", [normal], ["outer"])])
    positive = nodes.add("Greater", nodes.add("ReduceSum", "x", keepdims=0), nodes.store(0))
    graphs = {"then_branch": branch(inner, "inner", "then"), "else_branch": branch(other, "outer", "else")}
    model = nodes.model(nodes.add("If", positive, **graphs))
    rewrite = fuse_layernorms(model)
    assert rewrite.changed == 0
    assert f"{centred}, a step of it, is also read by If" in rewrite.left[0]
    assert apart(model, rewrite.model, sample()) == 0


def test_one_inside_and_one_outside() -> None:
    nodes = Nodes(OPSET)
    outer = Spelling(scale=None).written(nodes, "x")
    positive = nodes.add("Greater", nodes.add("ReduceSum", "x", keepdims=0), nodes.store(0))
    same = Nodes(OPSET, nodes=[helper.make_node("Identity", [outer], ["same"])])
    graphs = {"then_branch": spelled_branch("then_"), "else_branch": branch(same, "same", "else")}
    model = nodes.model(nodes.add("Add", outer, nodes.add("If", positive, **graphs)))
    fused = fuse_layernorms(model)
    assert (fused.changed, layernorm_ops(fused.model)) == (2, 2)
    assert apart(model, fused.model, sample()) < 1e-5


def looped(times: int) -> onnx.ModelProto:
    """Return a model that normalises x over and over in the body of a Loop."""
    nodes = Nodes(OPSET)
    value = Spelling(bias=None).written(nodes, nodes.add("Mul", "carried", nodes.store(1.5)))
    inputs = [
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("going", TensorProto.BOOL, []),
        helper.make_tensor_value_info("carried", TensorProto.FLOAT, list(SHAPE)),
    ]
    outputs = [
        helper.make_tensor_value_info("still", TensorProto.BOOL, []),
        helper.make_tensor_value_info(value, TensorProto.FLOAT, list(SHAPE)),
    ]
    nodes.add("Identity", "going", out="still")
    body = prefixed(helper.make_graph(nodes.nodes, "body", inputs, outputs, nodes.stored), "body_")
    outer = Nodes(OPSET)
    count, go = outer.store(times, np.int64), outer.store(True, np.bool_)
    return outer.model(outer.add("Loop", count, go, "x", body=body))


def test_the_body_of_a_loop() -> None:
    model = looped(3)
    fused = fuse_layernorms(model)
    assert (fused.changed, fused.left) == (1, ())
    assert apart(model, fused.model, sample()) < 1e-5
    spelled = decompose_layernorms(fused.model)
    assert spelled.changed == 1
    assert apart(model, spelled.model, sample()) < 1e-5


def with_function() -> onnx.ModelProto:
    """Return a model that calls one local function, a LayerNorm with its scale as an input, twice."""
    written = Nodes(OPSET)
    value = Spelling(scale=None, bias=None).written(written, "value")
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in written.stored]
    last = helper.make_node("Mul", [value, "scale"], ["result"])
    function = helper.make_function(
        "own", "Normal", ["value", "scale"], ["result"], [*constants, *written.nodes, last],
        [helper.make_opsetid("", OPSET)],
    )  # fmt: skip
    nodes = Nodes(OPSET)
    scale = nodes.store(np.arange(8) + 1)
    calls = [helper.make_node("Normal", [name, scale], [f"{name}2"], domain="own") for name in ("x", "x2")]
    nodes.nodes += calls
    model = nodes.model("x22")
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    return model


def test_a_local_function_is_inlined_and_each_call_fused() -> None:
    model = with_function()
    assert model.functions
    fused = fuse_layernorms(model)
    assert (fused.changed, layernorm_ops(fused.model), len(fused.model.functions)) == (2, 2, 0)
    assert apart(model, fused.model, sample()) < 1e-5


def test_names_stay_unique_over_all_graphs() -> None:
    """ONNX Runtime refuses a name of an inner graph that an outer one has, the checker as well."""
    fused = fuse_layernorms(conditional()).model
    spelled = decompose_layernorms(fused).model
    for model in (fused, spelled):
        names = [tensor.name for tensor in model.graph.initializer]
        for node in model.graph.node:
            for attribute in node.attribute:
                names += [tensor.name for tensor in attribute.g.initializer]
        assert len(names) == len(set(names))
        onnx.checker.check_model(model, full_check=True)


def test_the_condition_is_met_by_one_sample_and_not_by_the_other() -> None:
    """Otherwise the tests above would run one branch twice."""

    def total(x: NDArray[np.float32]) -> float:
        model = onnx.ModelProto()
        model.CopyFrom(conditional())
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return float(np.sign(x.sum())) if session.run(None, {"x": x}) else 0

    assert (total(sample()), total(-sample())) == (1, -1)
