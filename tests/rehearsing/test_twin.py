"""The twin: the same nodes under the same names, in float32."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.graphs.types import reduced_type, tensor_types
from enginewright.rehearsing.twin import twin_of
from tests.graphs.small import model_of, tensor, value
from tests.rehearsing.graphs import mean_square


@pytest.mark.parametrize("low", ["float16", "bfloat16"])
def test_every_reduced_tensor_is_known_and_float32_in_the_twin(low: str) -> None:
    typed = mean_square(low)
    twin = twin_of(typed)
    assert {name: found.name for name, found in twin.reduced.items()} == dict.fromkeys(
        ("x_low", "square", "mean", "mean/sum", "root", "quotient"), low
    )
    assert reduced_type(twin.model) is None
    assert set(tensor_types(twin.model).values()) == {TensorProto.FLOAT, TensorProto.INT64}
    named = {node.name for node in typed.graph.node}
    assert [node.name for node in twin.model.graph.node if node.name in named] == [n.name for n in typed.graph.node]
    assert reduced_type(typed) is not None, "the typed graph itself is left alone"
    onnx.checker.check_model(twin.model, full_check=True)


def test_stored_tensors_keep_the_values_that_they_were_rounded_to() -> None:
    third = tensor("third", [1 / 3], "float16")
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], to=TensorProto.FLOAT16),
        helper.make_node("Constant", [], ["two"], value=tensor("two", [2.0], "float16")),
        helper.make_node("Mul", ["low", "third"], ["product"]),
        helper.make_node("Mul", ["product", "two"], ["double"]),
        helper.make_node("Cast", ["double"], ["y"], to=TensorProto.FLOAT),
    ]
    twin = twin_of(model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], [third]))
    stored = numpy_helper.to_array(twin.model.graph.initializer[0])
    assert stored.dtype == np.float32
    assert stored[0] == np.float16(1 / 3)
    assert set(twin.reduced) >= {"third", "two", "product", "double"}


def test_a_float32_graph_is_its_own_twin() -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    model = model_of([node], [value("x", (1, 4))], [value("y", (1, 4))])
    twin = twin_of(model)
    assert not twin.reduced
    assert twin.model.SerializeToString() == model.SerializeToString()
