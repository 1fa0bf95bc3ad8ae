"""Nothing of the machine stays in a graph, and open axes get the contract's names."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from onnx import helper

from enginewright.contract import Contract, Kind, Port
from enginewright.graphs.clean import name_axes, name_nodes, strip_notes
from enginewright.graphs.files import graph_bytes
from tests.graphs.small import NOTE, annotated, model_of, nested, scaled, sparse, tensor, value


def crowded() -> onnx.ModelProto:
    """Return a model with something in every place that can bear a note."""
    model = nested()
    model.graph.sparse_initializer.append(sparse("few"))
    model.graph.value_info.append(value("chosen", (1, 4)))
    model.functions[0].value_info.append(value("sign", ()))
    model.functions[0].attribute_proto.append(helper.make_attribute("alpha", 1.0))
    many = helper.make_node("Custom", ["x"], ["z"], many=[tensor("one", 1.0)], graphs=[scaled().graph], domain="tests")
    model.graph.node.append(many)
    return model


@pytest.mark.parametrize("made", [scaled, nested, crowded])
def test_no_note_survives_anywhere_and_nothing_else_changes(made: Callable[[], onnx.ModelProto]) -> None:
    model = annotated(made())
    notes = graph_bytes(model).count(NOTE.encode())
    assert notes > 10
    strip_notes(model)
    assert NOTE.encode() not in graph_bytes(model)
    assert b"namespace" not in graph_bytes(model)
    assert model == made()


def test_a_clean_model_stays_as_it_is() -> None:
    model = crowded()
    strip_notes(model)
    assert model == crowded()


CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("x", ("batch", "channels", "width"), dynamic=("batch", "width")),),
    outputs=(Port("y", ("batch", "channels"), dynamic=("batch",)), Port("rest", ("width",), dynamic=("width",))),
    sizes={"batch": 1, "channels": 3, "width": 8},
)


def opened(*outputs: onnx.ValueInfoProto) -> onnx.ModelProto:
    return model_of([], [value("x", ("s77", 3, None))], outputs)


def sizes(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    values = (*model.graph.input, *model.graph.output)
    return {
        item.name: [size.dim_param or size.dim_value for size in item.type.tensor_type.shape.dim] for item in values
    }


def test_open_axes_are_named_and_lost_sizes_restored() -> None:
    model = opened(value("y", ("s77", "Concaty_dim_1")), value("rest", ("16*s3",)))
    name_axes(model, CONTRACT)
    assert sizes(model) == {"x": ["batch", 3, "width"], "y": ["batch", 3], "rest": ["width"]}


def test_what_the_exporter_knows_is_left_to_the_check() -> None:
    model = opened(value("y", (2, 4)), value("rest", (8,)))
    name_axes(model, CONTRACT)
    assert sizes(model) == {"x": ["batch", 3, "width"], "y": [2, 4], "rest": [8]}


def test_other_ranks_and_unknown_tensors_are_left_to_the_check() -> None:
    model = opened(value("y", (None,)), value("rest", (None, None)), value("stranger", (None,)))
    name_axes(model, CONTRACT)
    assert sizes(model) == {"x": ["batch", 3, "width"], "y": ["batch"], "rest": ["width", 0], "stranger": [0]}


def test_every_node_has_a_name_of_its_own_afterwards() -> None:
    names = ["scale", "", "scale", "Mul/c"]
    steps = [helper.make_node("Mul", [a, a], [b], name=name) for a, b, name in zip("xabc", "abcy", names, strict=True)]
    model = model_of(steps, [value("x", (1, 4))], [value("y", (1, 4))])
    name_nodes(model)
    assert [node.name for node in model.graph.node] == ["scale", "Mul/b", "Mul/c_2", "Mul/c"]
    named = model.SerializeToString(deterministic=True)
    name_nodes(model)
    assert model.SerializeToString(deterministic=True) == named
