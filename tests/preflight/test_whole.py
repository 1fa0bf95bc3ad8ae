"""The whole graph: parsing, types at both ends, the profile and its corners."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from enginewright.preflight.task import WHOLE, Options
from enginewright.preflight.whole import Whole, look_at
from tests.preflight.asking import asker
from tests.preflight.graphs import (
    CLEAN,
    FLOAT,
    INT64,
    UINT8,
    convolution,
    dynamic,
    ints,
    model,
    node,
    nonzero,
    one,
    several,
    topk,
    value,
)


def looked(graph: onnx.ModelProto, **ranges: list[int]) -> Whole:
    return look_at(asker(), graph, Options(ranges=ranges))


def test_clean_graphs_fit() -> None:
    for name, (graph, ranges) in CLEAN.items():
        assert looked(graph(), **ranges).fits, name


def test_a_refusal_of_the_parser_ends_it() -> None:
    found = looked(several())
    assert [refusal.name for refusal in found.refusals] == ["det", "unique"]
    assert not found.fits
    assert [refusal.operator for refusal in looked(nonzero()).refusals] == ["NonZero"]


def test_a_graph_that_killed_an_earlier_process_is_refused_unseen() -> None:
    found = look_at(asker(fatal={WHOLE: "SIGFPE"}), convolution(), Options())
    assert [refusal.message for refusal in found.refusals] == ["the builder's process dies of it: SIGFPE"]


def test_float64_at_both_ends_would_become_float32() -> None:
    graph = one(node("Exp", ["x"], ["y"]), value("x", (2,), TensorProto.DOUBLE), kind=TensorProto.DOUBLE)
    found = looked(graph)
    assert [(item.operator, item.nodes) for item in found.blockers] == [("input", ("x",)), ("output", ("y",))]
    assert "float64 in the graph and would silently be float32" in found.blockers[0].message
    assert found.blockers[0].cure == "export it as float32"


def test_an_output_whose_size_an_input_decides_is_refused_in_a_static_graph() -> None:
    inputs = [value("x", (1, 100)), value("k", (1,), INT64)]
    outputs = [value("v", None), value("i", None, INT64)]
    found = looked(model([node("TopK", ["x", "k"], ["v", "i"], name="top")], inputs, outputs))
    assert [(item.operator, item.nodes) for item in found.blockers] == [("output", ("v",)), ("output", ("i",))]
    assert "its shape is (1, ?)" in found.blockers[0].message
    assert "as a constant" in found.blockers[0].cure
    assert not found.fits
    stored = model([node("TopK", ["x", "k"], ["v", "i"], name="top")], inputs[:1], outputs, {"k": ints(4)})
    assert looked(stored).fits


def test_an_open_output_of_a_graph_with_open_inputs_is_none_of_it() -> None:
    assert looked(dynamic(), rows=[1, 8]).fits


def test_other_types_keep_theirs() -> None:
    kinds = (FLOAT, INT64, UINT8, TensorProto.INT32, TensorProto.INT8, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    for kind in (*kinds, TensorProto.BOOL):
        found = looked(one(node("Identity", ["x"], ["y"]), value("x", (2,), kind), kind=kind))
        assert found.fits, TensorProto.DataType.Name(kind)


def test_every_input_without_a_range_is_named() -> None:
    nodes = [node("Add", ["a", "b"], ["c"]), node("Add", ["c", "d"], ["y"])]
    inputs = [value("a", ("n", 2)), value("b", ("n", 2)), value("d", ("m", 2))]
    graph = model(nodes, inputs, [value("y", None)])
    assert [item.nodes for item in looked(graph).blockers] == [("a",), ("b",), ("d",)]
    found = looked(graph, n=[1, 4])
    assert [(item.nodes, item.cure) for item in found.blockers] == [
        (("d",), "set model.ranges.m, or export.dynamic=false")
    ]


def test_a_refusal_at_the_best_sizes_has_no_corner() -> None:
    (refusal,) = looked(topk(32, "n"), n=[8, 16]).refusals
    assert (refusal.at, refusal.by) == ("", "builder")


def test_a_refusal_at_a_corner_says_which() -> None:
    (refusal,) = looked(topk(32, "n"), n=[16, 64]).refusals
    assert refusal.at == "n=16"
    assert looked(topk(32, "n"), n=[32, 64]).fits


def test_every_combination_of_the_ends_is_a_corner() -> None:
    """64 elements come at a = 4, b = 16 alone; Reshape to (-1, 64) refuses every other one."""
    graph = one(node("Reshape", ["x", "s"], ["y"], name="reshape"), value("x", ("a", "b")), s=ints(-1, 64))
    assert look_at(asker(), graph, Options(ranges={"a": [4, 8], "b": [16, 32]})).fits
    (refusal,) = looked(graph, a=[2, 4], b=[16, 64]).refusals
    assert refusal.at == "a=2, b=16"


def test_ranges_of_axes_that_the_graph_does_not_have_change_nothing() -> None:
    assert looked(convolution(), height=[1, 100]).fits
    assert looked(dynamic(), rows=[1, 2], height=[1, 100]).fits
