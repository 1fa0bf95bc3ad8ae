"""Which nodes leave a range, node by node and sample by sample."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.casting.ranges import nodes_out_of_range
from tests.graphs.small import model_of, scaled, tensor, value


def chain() -> onnx.ModelProto:
    """Return x -> up (times 100) -> flip (negative) -> down (over 1000) -> y, with an index beside."""
    nodes = [
        helper.make_node("Mul", ["x", "hundred"], ["up"], name="up"),
        helper.make_node("Neg", ["up"], ["flipped"], name="flip"),
        helper.make_node("Div", ["flipped", "thousand"], ["y"], name="down"),
        helper.make_node("ArgMax", ["y"], ["best"], name="best", axis=-1),
    ]
    stored = [tensor("hundred", 100.0), tensor("thousand", 1000.0)]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], stored)


@pytest.mark.parametrize(
    ("limit", "names"),
    [(1000.0, []), (300.0, []), (299.0, ["up", "flip", "down"]), (0.1, ["up", "flip", "down", "best"])],
)
def test_a_node_counts_by_its_inputs_and_outputs_and_not_by_its_stored_tensors(limit: float, names: list[str]) -> None:
    samples = [{"x": np.array([[1, -3, 2, 0.5]], np.float32)}]
    assert nodes_out_of_range(chain(), samples, limit) == names


def test_an_index_has_no_range_to_leave() -> None:
    """A pixel's index exceeds float16; its score does not, and whether the choice stays fp32 is the score's matter."""
    node = helper.make_node("TopK", ["x", "one"], ["best", "index"], "choose")
    outputs = [value("best", (1, 1)), value("index", (1, 1), onnx.TensorProto.INT64)]
    model = model_of([node], [value("x", (1, 80_000))], outputs, [tensor("one", [1], "int64")])
    scores = np.zeros((1, 80_000), np.float32)
    scores[0, 70_000] = 9.0
    assert nodes_out_of_range(model, [{"x": scores}], 512.0) == []
    assert nodes_out_of_range(model, [{"x": scores}], 8.0) == ["choose"]


def test_any_sample_is_enough() -> None:
    quiet, loud = ({"x": np.full((1, 4), size, np.float32)} for size in (0.1, 9.0))
    assert nodes_out_of_range(scaled(), [quiet, quiet], 10.0) == []
    assert nodes_out_of_range(scaled(), [quiet, loud], 10.0) == ["scale"]
    assert nodes_out_of_range(scaled(), [{"x": np.full((1, 4), np.inf, np.float32)}], 10.0) == ["scale"]


def test_a_layernorm_is_left_out_whatever_it_sees() -> None:
    node = helper.make_node("LayerNormalization", ["x", "ones"], ["normal"], "norm")
    model = model_of(
        [node, helper.make_node("Mul", ["x", "normal"], ["y"], "mul")],
        [value("x", (1, 4))],
        [value("y", (1, 4))],
        [tensor("ones", [1.0] * 4)],
    )
    assert nodes_out_of_range(model, [{"x": np.array([[1, -3, 2, 5e5]], np.float32)}], 100.0) == ["mul"]
