"""Two files that differ, told down to what differs in them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.graphs.files import graph_bytes
from enginewright.reproducing.differences import difference
from enginewright.reproducing.differences.dispatch import MOST
from tests.graphs.small import model_of, scaled, tensor, value

Edit = Callable[[onnx.ModelProto], object]


def chain() -> onnx.ModelProto:
    """Return |x| times a factor, and its exponential beside it."""
    nodes = [
        helper.make_node("Abs", ["x"], ["a"], name="size"),
        helper.make_node("Mul", ["a", "factor"], ["y"], name="scale"),
        helper.make_node("Exp", ["a"], ["z"], name="grow"),
    ]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4)), value("z", (1, 4))], [tensor("factor", [2.0])])


def swap_nodes(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([nodes[0], nodes[2], nodes[1]])


EDITS: list[tuple[Edit, str]] = [
    (lambda model: setattr(model.graph.node[1], "op_type", "Div"), "node scale (Mul): op_type Mul -> Div"),
    (lambda model: setattr(model.graph.node[1], "name", "other"), "node scale (Mul): name 'scale' -> 'other'"),
    (lambda model: model.graph.node[2].input.__setitem__(0, "x"), "node grow (Exp): input ['a'] -> ['x']"),
    (lambda model: model.graph.node[0].attribute.append(helper.make_attribute("axis", 1)), "attribute axis"),
    (lambda model: model.graph.node.pop(), "node grow (Exp) is gone"),
    (swap_nodes, "2 nodes stand elsewhere, scale (Mul) the first"),
    (lambda model: model.graph.initializer[0].CopyFrom(tensor("factor", [2.5])), "1 of 1 values, by 0.5 at most"),
    (lambda model: model.graph.initializer[0].CopyFrom(tensor("factor", [[2.0]])), "float32 [1] -> float32 [1, 1]"),
    (lambda model: setattr(model, "producer_version", "9"), "producer_version:  -> 9"),
    (lambda model: setattr(model.opset_import[1], "version", 21), "opset_import: "),
    (lambda model: model.graph.output.reverse(), "outputs stand in another order"),
]


@pytest.mark.parametrize(("edit", "told"), EDITS, ids=[told for _, told in EDITS])
def test_what_differs_in_a_graph_is_named(edit: Edit, told: str) -> None:
    old, new = chain(), chain()
    edit(new)
    found = difference("typed.onnx", graph_bytes(old), graph_bytes(new))
    assert len(found) == 1
    assert told in found[0]


def test_many_differences_are_cut() -> None:
    graphs = [
        model_of([helper.make_node("Abs", ["x"], [f"{side}{i}"]) for i in range(40)], [value("x", (1,))], [])
        for side in "ab"
    ]
    found = difference("a.onnx", *(graph_bytes(graph) for graph in graphs))
    assert len(found) == MOST + 1
    assert found[-1] == "and more"


def test_bytes_that_mean_the_same_graph_are_told_as_bytes() -> None:
    data = graph_bytes(scaled())
    twice = data + onnx.ModelProto(model_version=0).SerializeToString() + b"\x28\x00"  # model_version 0 said outright
    assert difference("a.onnx", data, twice) == [f"{len(data)} -> {len(twice)} bytes"]


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    values: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(file, **values)
    return file.getvalue()


def test_arrays_are_told_by_name_and_by_how_far_they_are_apart() -> None:
    old = npz(same=[1.0], moved=[1.0, 2.0], gone=[1], kind=[1])
    new = npz(same=[1.0], moved=[1.0, 2.25], kind=[1.0])
    assert difference("reference.npz", old, new) == [
        "gone is in one of the two alone",
        "kind: int64 [1] -> float64 [1]",
        "moved: 1 of 2 values, by 0.25 at most",
    ]


def test_values_are_told_by_their_keys() -> None:
    old, new = ({"a": {"b": number, "c": 1}} | more for number, more in ((1, {}), (2, {"d": 3})))
    assert difference("engine.json", json.dumps(old).encode(), json.dumps(new).encode()) == [
        "a.b: 1 -> 2",
        "d: not there -> 3",
    ]


def test_engines_are_told_by_what_stands_near() -> None:
    old = b"\0" * 200 + b"keypoints\0" + b"\0" * 200
    new = b"\0" * 200 + b"descripto\0" + b"\0" * 200
    told = difference("engine.plan", old, new)
    assert told[0] == "6 of the first 410 bytes differ, at 200 the first and at 208 the last"
    assert told[1] == "near the first: keypoints -> descripto"


def test_other_sizes_are_told() -> None:
    assert difference("engine.plan", b"abc", b"abcd") == ["3 -> 4 bytes"]
