"""What stands against a graph whatever the builder."""

from __future__ import annotations

import onnx
from onnx import TensorProto
from onnx.defs import onnx_opset_version

from enginewright.preflight.rules import graph_rules
from tests.preflight.graphs import CLEAN, KNOWN, branching, convolution


def test_clean_graphs_break_no_rule() -> None:
    assert [blocker for graph, _ in CLEAN.values() for blocker in graph_rules(graph())] == []


def test_the_newest_opset_of_onnx_is_taken_and_the_next_is_not() -> None:
    graph = convolution()
    graph.opset_import[0].version = onnx_opset_version()
    assert graph_rules(graph) == []
    graph.opset_import[0].version += 1
    (blocker,) = graph_rules(graph)
    assert f"opset {onnx_opset_version() + 1} is newer" in blocker.message
    assert blocker.by == "graph"


def test_onnx_itself_would_not_say_so() -> None:
    """The reason for the rule: the checker takes an opset that it has no definitions of."""
    graph = KNOWN["opset of the future"].graph()
    onnx.checker.check_model(graph, full_check=True)
    assert len(graph_rules(graph)) == 1


def test_every_tensor_in_another_file_is_named_subgraphs_included() -> None:
    graph = branching("Relu")
    then = next(item.g for item in graph.graph.node[1].attribute if item.name == "then_branch")
    for place, name in ((graph.graph, "outer"), (then, "inner")):
        place.initializer.append(TensorProto(name=name, data_type=1, data_location=TensorProto.EXTERNAL))
    (blocker,) = graph_rules(graph)
    assert sorted(blocker.nodes) == ["inner", "outer"]
    assert "save_as_external_data=False" in blocker.cure


def test_all_rules_are_told_at_once() -> None:
    graph = KNOWN["external data"].graph()
    graph.opset_import[0].version = 99
    assert [blocker.operator for blocker in graph_rules(graph)] == ["tensor", "graph"]
