"""All questions about one graph, put together: nothing twice, nothing made up, nothing hidden."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from enginewright.preflight.report import IN_FP32, UNSIMPLIFIED
from enginewright.preflight.task import WHOLE, Answer, Options
from tests.preflight.asking import surveyed
from tests.preflight.graphs import (
    CLEAN,
    FLOAT,
    HALF,
    INT64,
    KNOWN,
    attention,
    calling,
    convolution,
    dynamic,
    ints,
    looping,
    model,
    node,
    nonzero,
    one,
    several,
    topk,
    value,
)


def named(answer: Answer) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.operator, item.nodes) for item in answer.blockers]


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_graph_has_no_blocker_and_no_note(name: str) -> None:
    graph, ranges = CLEAN[name]
    answer = surveyed(graph(), Options(ranges=ranges))
    assert (answer.blockers, answer.notes) == ((), ())


def test_equal_nodes_are_asked_once_and_all_named() -> None:
    nodes = [node("Relu", ["x"], ["r"]), *(node("NonZero", ["r"], [f"n{i}"], name=f"find{i}") for i in range(3))]
    answer = surveyed(model(nodes, [value("x")], [value(f"n{i}", None, INT64) for i in range(3)]))
    assert [blocker.nodes for blocker in answer.blockers] == [("find0",), ("find1",), ("find2",)]
    assert (answer.counts.nodes, answer.counts.alone) == (4, 2)


def test_what_lies_behind_a_blocker_is_counted_as_unchecked() -> None:
    nodes = [
        node("NonZero", ["x"], ["n"], name="find"),
        node("Transpose", ["n"], ["t"], name="turn"),
        node("GatherND", ["x", "t"], ["y"], name="gather"),
    ]
    answer = surveyed(model(nodes, [value("x")], [value("y", None)]))
    assert named(answer) == [("NonZero", ("find",))]
    assert answer.counts.unchecked == 2


def test_the_consumer_of_a_type_that_no_input_can_have_is_not_blamed() -> None:
    answer = surveyed(KNOWN["int16 inside"].graph())
    assert named(answer) == [("Cast", ("narrow",))]
    assert answer.counts.unchecked == 1


def test_a_graph_that_killed_a_process_and_whose_nodes_are_all_clean_is_still_refused() -> None:
    answer = surveyed(convolution(), fatal={WHOLE: "SIGSEGV"})
    assert named(answer) == [("graph", ("as a whole",))]
    assert "SIGSEGV" in answer.blockers[0].message


def test_a_cycle_is_told_of_the_graph_as_a_whole() -> None:
    nodes = [node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"])]
    answer = surveyed(model(nodes, [value("x")], [value("b", None)]))
    assert named(answer) == [("graph", ("as a whole",))]
    assert "topologically" in answer.blockers[0].message


def test_a_node_that_is_refused_only_alone_is_no_blocker() -> None:
    """A shape that went through two axes is a shape in the whole graph, and any integers to the node alone."""
    nodes = [
        node("Shape", ["x"], ["s"], name="shape"),
        node("Unsqueeze", ["s", "zero"], ["u"], name="unsqueeze"),
        node("Squeeze", ["u", "zero"], ["t"], name="squeeze"),
        node("Expand", ["one", "t"], ["y"], name="expand"),
    ]
    stored = {"zero": ints(0), "one": np.ones((1, 1), np.float32)}
    graph = model(nodes, [value("x", (2, 3))], [value("y", None)], stored)
    assert named(surveyed(graph)) == []
    assert named(surveyed(graph, fatal={WHOLE: "SIGSEGV"})) == [("Expand", ("expand",))]


def test_a_quantised_tensor_between_two_nodes_is_no_blocker() -> None:
    stored = {"s": np.array(0.1, np.float32), "w": np.ones((3, 3), np.float32)}
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q"),
        node("DequantizeLinear", ["q", "s", "z"], ["d"], name="dq"),
        node("MatMul", ["d", "w"], ["y"], name="product"),
    ]
    graph = model(nodes, [value("x", (3, 3))], [value("y", (3, 3))], stored)
    graph.graph.initializer.append(TensorProto(name="z", data_type=TensorProto.FLOAT8E4M3FN, raw_data=b"\0"))
    assert named(surveyed(graph)) == []
    assert named(surveyed(graph, fatal={WHOLE: "SIGSEGV"})) == [("graph", ("as a whole",))]


def test_fp8_by_a_cast_is_a_blocker_of_both_its_ends() -> None:
    nodes = [
        node("Cast", ["x"], ["q"], name="narrow", to=TensorProto.FLOAT8E4M3FN),
        node("Cast", ["q"], ["y"], name="back", to=FLOAT),
    ]
    answer = surveyed(model(nodes, [value("x")], [value("y")]))
    assert ("Cast", ("narrow",)) in named(answer)
    assert "QuantizeLinear" in answer.blockers[0].cure


def test_a_kernel_that_only_fp16_has_is_a_note_where_the_graph_becomes_fp16() -> None:
    assert named(surveyed(attention())) == [("Attention", ("attend",))]
    answer = surveyed(attention(), Options(half=True))
    assert answer.blockers == ()
    assert len(answer.notes) == 1
    assert "Attention attend must become fp16" in answer.notes[0]
    (blocker,) = answer.pending[IN_FP32]
    assert blocker == surveyed(attention()).blockers[0]
    assert surveyed(attention()).pending == {}


def test_what_fp16_does_not_mend_stays_a_blocker() -> None:
    graphs = (nonzero(), topk(4096, 8192), KNOWN["mixed types"].graph())
    for graph in graphs:
        assert len(surveyed(graph, Options(half=True)).blockers) == 1


def on_constants() -> onnx.ModelProto:
    nodes = [
        node("NonZero", ["m"], ["z"], name="find"),
        node("Transpose", ["z"], ["t"], name="turn"),
        node("GatherND", ["x", "t"], ["y"], name="gather"),
    ]
    return model(nodes, [value("x", (4,))], [value("y", None)], {"m": ints(1, 0, 1, 1)})


def test_what_a_simplifier_computes_away_is_a_note_where_one_follows() -> None:
    assert named(surveyed(on_constants())) == [("NonZero", ("find",))]
    answer = surveyed(on_constants(), Options(simplified=True))
    assert answer.blockers == ()
    assert "the simplifier removes it" in answer.notes[0]
    assert answer.pending == {UNSIMPLIFIED: surveyed(on_constants()).blockers}
    assert len(surveyed(nonzero(), Options(simplified=True)).blockers) == 1


def test_float64_inside_is_noted() -> None:
    nodes = [
        node("Cast", ["x"], ["d"], name="wide", to=TensorProto.DOUBLE),
        *(node("Exp", ["d"], [f"e{i}"], name=f"exp{i}") for i in range(4)),
        node("Cast", ["e0"], ["y"], name="back", to=FLOAT),
    ]
    answer = surveyed(model(nodes, [value("x")], [value("y")]))
    assert answer.blockers == ()
    assert answer.notes == ("float64 is computed in float32 by the builder: wide, exp0, exp1 and 2 more",)
    assert surveyed(attention(HALF)).notes == ()


def test_blockers_of_inputs_come_first_and_hide_no_other() -> None:
    graph = several()
    graph.graph.input.append(value("extra", (2,), TensorProto.INT16))
    assert named(surveyed(graph))[0] == ("input", ("extra",))
    assert len(surveyed(graph).blockers) == 6


def test_a_dynamic_graph_is_looked_at_with_the_sizes_of_its_profile() -> None:
    assert named(surveyed(dynamic(), Options(ranges={"rows": [1, 4]}, sizes={"rows": 2}))) == []
    counts = surveyed(dynamic(), Options(ranges={"rows": [1, 4]})).counts
    assert (counts.alone, counts.unchecked) == (1, 0)
    assert surveyed(dynamic()).counts.unchecked == 1


def test_nodes_in_subgraphs_and_functions_count() -> None:
    assert surveyed(looping("Relu")).counts.nodes == 4
    assert surveyed(calling()).counts.nodes == 1


def test_a_node_that_needs_the_values_of_a_shape_is_left_to_the_whole_graph() -> None:
    graph = one(node("Expand", ["x", "s"], ["y"], name="expand"), value("x", (1, 1)), value("s", (2,), INT64))
    assert surveyed(graph).counts.unchecked == 1
