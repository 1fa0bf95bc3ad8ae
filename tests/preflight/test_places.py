"""Every node with what its names mean, subgraphs included."""

from __future__ import annotations

import onnx

from enginewright.preflight.known import with_known_types
from enginewright.preflight.places import Place, places_of, read_names
from tests.preflight.graphs import branching, convolution, looping, model, node, several, value


def by_label(found: onnx.ModelProto) -> dict[str, Place]:
    return {place.label: place for place in places_of(found)}


def test_nodes_of_the_main_graph_come_in_its_order() -> None:
    labels = [place.label for place in places_of(several())]
    assert labels == ["det", "find", "relu", "deform", "unique", "reshape", "top"]


def test_a_node_without_a_name_is_told_by_index_and_output() -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("Split", ["r"], ["", "second"], num_outputs=2), node("Relu", ["r"], [])]
    labels = [place.label for place in places_of(model(nodes, [value("x")], [value("r")]))]
    assert labels == ["node 0 (output r)", "node 1 (output second)", "node 2 (output none)"]


def test_nodes_of_subgraphs_come_before_the_node_that_holds_them_with_the_way_to_them() -> None:
    labels = [place.label for place in places_of(branching("Det"))]
    assert labels == [
        "before",
        "branch > else_branch > other",
        "branch > then_branch > inner",
        "branch",
        "after",
    ]


def test_a_subgraph_sees_what_is_around_it() -> None:
    places = by_label(with_known_types(looping("Relu"), {}))
    inner, add = places["loop > body > inner"], places["loop > body > add"]
    assert inner.scope.types["x"].type.tensor_type.shape.dim[1].dim_value == 3
    assert add.scope.producers["d"] is inner
    assert "none" in add.scope.constants
    assert "d" not in places["loop"].scope.types


def test_what_a_node_reads() -> None:
    places = by_label(branching("Det"))
    assert read_names(places["after"].node) == ["chosen"]
    assert read_names(places["branch"].node) == ["c", "x"]
    loop = by_label(looping("Relu"))["loop"].node
    assert read_names(loop) == ["times", "yes", "none", "x"]


def test_stored_tensors_and_producers_are_found_by_name() -> None:
    places = by_label(convolution())
    relu = places["relu"]
    assert set(relu.scope.constants) == {"w"}
    assert relu.scope.producers["c"] is places["conv"]
    assert relu.scope.producers.get("x") is None
