"""Opset 17 from graphs of opset 18."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.errors import GraphError
from enginewright.exporting.older import to_17
from enginewright.graphs.files import check_graph, graph_bytes
from enginewright.graphs.io import io_types
from enginewright.graphs.walk import opset_of
from tests.graphs.small import model_of, tensor, value
from tests.stages.tiny_stage import run_graph

AXES = tensor("axes", [1], "int64")


def of_18(nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str] = (2, 1)) -> onnx.ModelProto:
    """Return a checked model of opset 18 from x (2, 4) to y."""
    model = model_of(nodes, [value("x", (shape[0], 4))], [value("y", shape)], [AXES])
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", 18)])
    check_graph(model, "of 18")
    return model


@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax", "ReduceL2", "ReduceSum"])
def test_axes_become_what_they_were_at_17(operator: str) -> None:
    node = helper.make_node(operator, ["x", "axes"], ["y"], noop_with_empty_axes=0, keepdims=1)
    model = of_18([node])
    before = graph_bytes(model)
    older = to_17(model)
    check_graph(older, "of 17")
    assert opset_of(older) == 17
    assert io_types(older) == io_types(model)
    assert graph_bytes(model) == before
    x = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    np.testing.assert_allclose(run_graph(older, {"x": x})["y"], run_graph(model, {"x": x})["y"], atol=1e-6)


def test_open_axes_stay_open() -> None:
    model = of_18([helper.make_node("ReduceMean", ["x", "axes"], ["y"])], ("batch", 1))
    older = to_17(model)
    check_graph(older, "of 17")
    assert older.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert io_types(older) == io_types(model)


def test_what_17_cannot_say_does_not_pass_the_check_that_follows() -> None:
    """With noop_with_empty_axes=1 and no axes, 18 does nothing where 17 would reduce everything."""
    node = helper.make_node("ReduceMean", ["x"], ["y"], noop_with_empty_axes=1)
    model = of_18([node], (2, 4))
    with pytest.raises(GraphError):
        check_graph(to_17(model), "of 17")


def test_an_operator_without_a_way_back_is_named_with_the_cure() -> None:
    nodes = [
        helper.make_node("Split", ["x"], ["first", "second"], axis=1, num_outputs=2),
        helper.make_node("Mul", ["first", "second"], ["y"]),
    ]
    with pytest.raises(GraphError, match=r"down to opset 17.*Split") as caught:
        to_17(of_18(nodes, (2, 2)))
    assert caught.value.cure == "export.opset=18, or export=torchscript"


def test_the_same_model_gives_the_same_bytes() -> None:
    model = of_18([helper.make_node("ReduceMean", ["x", "axes"], ["y"])])
    assert graph_bytes(to_17(model)) == graph_bytes(to_17(model))
