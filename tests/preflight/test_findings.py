"""Refusals gathered by node: the nearest to the fault wins, and nothing is said twice."""

from __future__ import annotations

import onnx

from enginewright.preflight.findings import Findings
from enginewright.preflight.known import with_known_types
from enginewright.preflight.places import Place, places_of
from enginewright.preflight.regions import Region, region_of
from enginewright.preflight.report import IN_FP32, UNSIMPLIFIED
from enginewright.preflight.tool import Refusal
from tests.preflight.graphs import attention, branching, convolution, ints, looping, model, node, value


def places(graph: onnx.ModelProto) -> list[Place]:
    return places_of(with_known_types(graph, {}))


def region(found: list[Place], label: str) -> Region:
    cut = region_of(next(place for place in found if place.label == label))
    assert cut is not None
    return cut


def refusal(message: str = "refused", *, index: int = -1, name: str = "", operator: str = "") -> Refusal:
    return Refusal(message, "parser", index, name, operator)


def told(findings: Findings, explained: bool = False) -> list[tuple[str, str]]:
    return [(item.nodes[0], item.message) for item in findings.blockers(explained)]


def test_a_refusal_of_a_region_is_about_its_target() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.add_alone([region(found, "relu")], refusal())
    assert told(findings) == [("relu", "refused")]


def test_a_refusal_that_names_a_node_before_it_is_about_that_one() -> None:
    nodes = [node("Add", ["a", "b"], ["k"], name="sum"), node("TopK", ["x", "k"], ["y", "i"], name="top")]
    found = places(model(nodes, [value("x", (1, 64))], [value("y", None)], {"a": ints(1), "b": ints(2)}))
    for index, operator, name in ((0, "Add", "sum"), (1, "TopK", "top"), (0, "TopK", "top"), (9, "Add", "top")):
        findings = Findings(found, set())
        findings.add_alone([region(found, "top")], refusal(index=index, operator=operator))
        assert told(findings) == [(name, "refused")]


def test_blockers_come_in_the_order_of_the_graph() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.add_alone([region(found, "relu")], refusal("late"))
    findings.add_alone([region(found, "conv")], refusal("early"))
    assert told(findings) == [("conv", "early"), ("relu", "late")]


def test_what_is_known_of_a_node_alone_is_not_replaced_by_the_whole_graphs_words() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.add_alone([region(found, "conv")], refusal("precise"))
    findings.add_whole([refusal("vague", index=0, name="conv", operator="Conv"), refusal("new", name="relu")])
    assert told(findings) == [("conv", "precise"), ("relu", "new")]


def test_a_layer_that_a_message_names_is_found() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.add_whole([refusal("Error Code 4: API Usage Error (IShuffleLayer relu: no solution)")])
    assert told(findings) == [("relu", "no solution")]


def test_a_node_without_a_name_is_found_by_index_and_operator() -> None:
    found = places(model([node("Relu", ["x"], ["r"]), node("Relu", ["r"], ["y"])], [value("x")], [value("y")]))
    findings = Findings(found, set())
    findings.add_whole([refusal(index=1, operator="Relu")])
    assert told(findings) == [("node 1 (output y)", "refused")]


def test_a_refusal_that_names_no_node_is_told_only_where_nothing_else_is() -> None:
    found = places(convolution())
    loose, beside = Findings(found, set()), Findings(found, set())
    for findings in (loose, beside):
        findings.add_whole([refusal("somewhere", index=7, operator="Foo")])
    beside.add_alone([region(found, "conv")], refusal("here"))
    assert told(loose) == [("as a whole", "somewhere")]
    assert told(loose, explained=True) == []
    assert told(beside) == [("conv", "here")]


def test_a_node_that_is_refused_for_what_it_holds_is_not_named() -> None:
    for graph, inner, outer in (
        (branching("Relu"), "branch > then_branch > inner", "branch"),
        (looping("Relu"), "loop > body > inner", "loop"),
    ):
        found = places(graph)
        findings = Findings(found, set())
        findings.add_alone([region(found, outer)], refusal("outer"))
        findings.add_alone([region(found, inner)], refusal("inner"))
        assert told(findings) == [(inner, "inner")]


def test_a_node_that_is_computed_away_gets_a_note() -> None:
    found = places(convolution())
    findings = Findings(found, {id(found[0])})
    findings.add_alone([region(found, "conv")], refusal())
    assert told(findings) == []
    (note,) = findings.notes
    assert note.startswith("Conv conv: refused (parser)")
    assert note.endswith("the simplifier removes it")
    assert [(key, [item.nodes for item in found]) for key, found in findings.pending.items()] == [
        (UNSIMPLIFIED, [("conv",)])
    ]


def test_the_sizes_at_which_it_is_refused_are_told() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.add_whole([Refusal("too small", "builder", name="conv", at="height=16, width=16")])
    assert told(findings) == [("conv", "at height=16, width=16: too small")]


def test_a_note_on_fp16_names_every_node() -> None:
    found = places(convolution())
    findings = Findings(found, set())
    findings.only_half([region(found, "conv"), region(found, "relu")], refusal("no kernel"))
    assert findings.notes == ["Conv conv, relu must become fp16: in fp32, no kernel"]
    assert [(item.nodes, item.message) for item in findings.pending[IN_FP32]] == [
        (("conv",), "no kernel"),
        (("relu",), "no kernel"),
    ]


def test_a_node_that_is_computed_away_blocks_no_precision() -> None:
    found = places(convolution())
    findings = Findings(found, {id(found[0])})
    findings.only_half([region(found, "conv"), region(found, "relu")], refusal("no kernel"))
    assert [item.nodes for item in findings.pending[IN_FP32]] == [("relu",)]


def test_the_cures_of_a_file_are_those_of_files() -> None:
    found = places(attention())
    for file in (True, False):
        findings = Findings(found, set(), file=file)
        findings.add_alone([region(found, "attend")], refusal("no dedicated kernel"))
        (blocker,) = findings.blockers(explained=False)
        assert ("export the file again" in blocker.cure) == file
