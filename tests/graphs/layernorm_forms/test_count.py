"""Forms counted by what nodes compute: through casts and other spellings, and not where a step is another one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.graphs.layernorm import Forms, forms_of
from enginewright.graphs.layernorm_forms import decompose_layernorms, scale_layernorms
from enginewright.graphs.layernorm_forms.count import decomposed_nodes
from tests.graphs.layernorm_forms.spelling import Nodes, Spelling
from tests.graphs.layernorm_forms.test_decompose import operator

SCALED = Forms(0, 0, 1)


def scaled() -> onnx.ModelProto:
    return scale_layernorms(operator(epsilon=1e-12)).model  # with the factor that only a tiny epsilon needs


def node_of(model: onnx.ModelProto, what: str) -> onnx.NodeProto:
    found: onnx.NodeProto = next(node for node in model.graph.node if node.name == f"normal/{what}")
    return found


def cast_everywhere(model: onnx.ModelProto) -> None:
    """Put a Cast to fp16 and back in front of whatever a node reads that is no constant."""
    nodes, stored = [], {tensor.name for tensor in model.graph.initializer}
    for index, node in enumerate(model.graph.node):
        for place, name in enumerate(node.input):
            if name not in stored:
                low, high = f"{name}_low_{index}_{place}", f"{name}_high_{index}_{place}"
                nodes.append(helper.make_node("Cast", [name], [low], to=TensorProto.FLOAT16))
                nodes.append(helper.make_node("Cast", [low], [high], to=TensorProto.FLOAT))
                node.input[place] = high
        nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def turn_operands(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type in ("Mul", "Add", "Max"):
            node.input[:] = list(node.input)[::-1]


def clip(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type == "Max":
            node.op_type = "Clip"


def divide_by_inverse(model: onnx.ModelProto) -> None:
    """Write f / b as (1 / b) * f."""
    at, node = next((at, node) for at, node in enumerate(model.graph.node) if node.name == "normal/epsilon")
    floor, size = node.input
    model.graph.node.insert(at, helper.make_node("Reciprocal", [size], ["inverse_of_size"]))
    node_of(model, "epsilon").op_type = "Mul"
    node_of(model, "epsilon").input[:] = ["inverse_of_size", floor]


def name_again(model: onnx.ModelProto) -> None:
    at = next(at for at, node in enumerate(model.graph.node) if node.name == "normal/unit")
    model.graph.node.insert(at + 1, helper.make_node("Identity", [node_of(model, "unit").output[0]], ["again"]))
    node_of(model, "normal").input[0] = "again"


@pytest.mark.parametrize("change", [cast_everywhere, turn_operands, clip, divide_by_inverse, name_again])
def test_a_scaled_one_is_known_in_other_spellings(change: Callable[[onnx.ModelProto], None]) -> None:
    model = scaled()
    change(model)
    assert forms_of(model) == SCALED


@pytest.mark.parametrize("bare", [False, True])
def test_a_decomposed_one_is_known_between_casts(bare: bool) -> None:
    model = decompose_layernorms(operator(bias=not bare)).model
    cast_everywhere(model)
    assert forms_of(model) == Forms(0, 1, 0)


OTHER_STEPS = [
    ("part", 0, "x", "the sum is of another value"),
    ("magnitude", 0, "x", "the size is of another value"),
    ("scaled", 1, "normal/largest", "nothing keeps the divisor from 0"),
    ("unit", 1, "normal/sum", "the mean is of another value"),
    ("square", 1, "normal/scaled", "no square"),
    ("epsilon_square", 1, "normal/size", "no square"),
    ("epsilon", 1, "normal/deviation_of_something", "epsilon is not scaled alike"),
    ("normal", 1, "normal/root", "the quotient may be 0 by 0"),
    ("normal", 0, "normal/scaled", "the quotient is of another value"),
]


@pytest.mark.parametrize(("what", "place", "value", "why"), OTHER_STEPS)
def test_another_step_makes_it_something_else(what: str, place: int, value: str, why: str) -> None:
    model = scaled()
    model.graph.node.insert(0, helper.make_node("Exp", ["x"], ["normal/deviation_of_something"]))
    node_of(model, what).input[place] = value
    assert forms_of(model).scaled == 0, why


def test_a_sum_turned_into_a_mean_of_what_is_larger_is_no_scaled_form() -> None:
    """What overflows in fp16 is not the form, though it computes the same in exact arithmetic."""
    model = scaled()
    total = node_of(model, "sum")
    total.op_type, total.input[0] = "ReduceMean", node_of(model, "quarter").output[0]
    assert forms_of(model).scaled == 0


def test_what_nothing_reads_does_not_count_and_subgraphs_do() -> None:
    model = scaled()
    model.graph.output[0].name = "x2"
    model.graph.node.append(helper.make_node("Exp", ["x"], ["x2"]))
    assert forms_of(model) == Forms(0, 0, 0)
    branch = helper.make_graph(scaled().graph.node, "branch", [], scaled().graph.output, scaled().graph.initializer)
    chosen = helper.make_node("If", ["yes"], ["out"], then_branch=branch, else_branch=branch)
    whole = scaled()
    del whole.graph.node[:], whole.graph.output[:]
    whole.graph.node.append(chosen)
    whole.graph.output.append(helper.make_tensor_value_info("out", TensorProto.FLOAT, None))
    whole.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    assert forms_of(whole) == Forms(0, 0, 2)


def test_counts_add_up_and_read_well() -> None:
    total = Forms(1, 2, 3) + Forms(4, 5, 6)
    assert str(total) == "5 operators, 7 decomposed, 9 scaled"
    assert total.metrics() == {"layernorm_ops": 5, "layernorm_decomposed": 7, "layernorm_scaled": 9}


def test_the_nodes_of_each_are_told_apart() -> None:
    nodes = Nodes()
    first = Spelling(square="mul").written(nodes, "x")
    second = Spelling(square="mul").written(nodes, nodes.add("Tanh", first))
    model = nodes.model(nodes.add("Exp", second))
    found = decomposed_nodes(model)
    assert [len(each) for each in found] == [9, 9]
    names = [node.name for each in found for node in each]
    assert len(set(names)) == 18
    assert {node.op_type for node in model.graph.node if node.name not in names} == {"Tanh", "Exp", "Identity"}
