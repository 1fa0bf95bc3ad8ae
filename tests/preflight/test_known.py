"""Types as far as ONNX can tell, functions put in place, and what a simplifier computes away."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from enginewright.graphs.walk import count_ops
from enginewright.preflight.known import foldable, with_known_types, without_functions
from enginewright.preflight.places import places_of
from enginewright.preflight.regions import sizes_of
from tests.preflight.graphs import INT64, calling, convolution, dynamic, ints, looping, model, node, several, value


def sizes(found: onnx.ModelProto, name: str) -> tuple[int, ...] | None:
    scope = places_of(found)[-1].scope
    return sizes_of(scope.types[name])


def test_tensors_between_the_nodes_get_types() -> None:
    assert sizes(with_known_types(convolution(), {}), "c") == (1, 4, 16, 16)
    assert sizes(with_known_types(several(), {}), "f") == (1, 3 * 64 * 64)


def test_dynamic_axes_are_looked_at_with_one_size() -> None:
    assert sizes(with_known_types(dynamic(), {}), "y") is None
    assert sizes(with_known_types(dynamic(), {"rows": 5}), "y") == (5, 4)
    assert sizes(with_known_types(dynamic(), {"rows": 5}), "x") == (5, 8)


def test_what_an_exporter_wrote_of_open_axes_does_not_win() -> None:
    found = dynamic()
    found.graph.node.append(node("Relu", ["y"], ["z"], name="relu"))
    found.graph.value_info.append(value("y", ("s77", 4)))
    assert sizes(with_known_types(found, {"rows": 5}), "y") == (5, 4)


def test_the_model_itself_stays_as_it_is() -> None:
    found = dynamic()
    before = found.SerializeToString(deterministic=True)
    with_known_types(found, {"rows": 5})
    without_functions(found)
    assert found.SerializeToString(deterministic=True) == before


def test_a_graph_that_inference_refuses_keeps_the_types_that_it_has() -> None:
    nodes = [node("Conv", ["x", "x"], ["c"], name="conv", kernel_shape=[1])]
    found = with_known_types(model(nodes, [value("x")], [value("c", (1, 2, 3))]), {})
    assert sizes(found, "x") == (1, 3, 16, 16)


def test_a_graph_without_functions_is_returned_as_it_is() -> None:
    found = convolution()
    assert without_functions(found) is found


def test_functions_are_put_in_place_and_nodes_named_after_them() -> None:
    found = without_functions(calling())
    assert not found.functions
    assert [(item.op_type, item.name) for item in found.graph.node] == [("Det", "Volume/inner__1")]


def test_a_node_without_a_name_in_a_function_is_still_named_after_it() -> None:
    opset = helper.make_opsetid("", 20)
    body = [node("Relu", ["a"], ["r"]), node("Det", ["r"], ["b"])]
    function = helper.make_function("local", "Volume", ["a"], ["b"], body, [opset])
    calls = [node("Volume", ["x"], ["y"], domain="local")]
    found = without_functions(model(calls, [value("x")], [value("y", (1, 3))], functions=[function]))
    assert count_ops(found) == {"Relu": 1, "Det": 1}
    assert all(item.name.startswith("Volume/") for item in found.graph.node)


def folded(found: onnx.ModelProto, pinned: bool = False) -> set[str]:
    places = places_of(with_known_types(found, {"rows": 5} if pinned else {}))
    ids = foldable(places, pinned)
    return {place.label for place in places if id(place) in ids}


def on_constants() -> onnx.ModelProto:
    nodes = [
        node("NonZero", ["m"], ["z"], name="find"),
        node("Transpose", ["z"], ["t"], name="turn"),
        node("GatherND", ["x", "t"], ["y"], name="gather"),
    ]
    return model(nodes, [value("x", (4,))], [value("y", None)], {"m": ints(1, 0, 1, 1)})


def test_what_depends_on_stored_tensors_only_is_computed_away() -> None:
    assert folded(on_constants()) == {"find", "turn"}


@pytest.mark.parametrize(
    ("rows", "pinned", "found"), [(5, False, {"shape"}), ("rows", False, set()), ("rows", True, set())]
)
def test_a_shape_is_a_constant_only_where_its_axes_are_static(rows: int | str, pinned: bool, found: set[str]) -> None:
    nodes = [node("Shape", ["x"], ["s"], name="shape")]
    assert folded(model(nodes, [value("x", (rows, 8))], [value("s", (2,), INT64)]), pinned) == found


def test_random_numbers_and_captured_inputs_are_no_constants() -> None:
    nodes = [node("RandomNormal", [], ["y"], name="random", shape=[2])]
    assert folded(model(nodes, [], [value("y", (2,))])) == set()
    assert "loop" not in folded(looping("Relu"))
