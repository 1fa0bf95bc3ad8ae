"""Models side by side in one, and models in fp16."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from enginewright.graphs.types import reduced_type
from enginewright.preflight.together import in_half, merged
from tests.preflight.graphs import (
    FLOAT,
    HALF,
    IMAGE,
    attention,
    branching,
    convolution,
    ints,
    layernorm,
    looping,
    model,
    node,
    value,
)


def run(found: onnx.ModelProto, *names: str) -> list[Any]:
    """Return the outputs for inputs of ones."""
    session = onnxruntime.InferenceSession(found.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {item.name: np.ones(item.shape, np.float32) for item in session.get_inputs()}
    return list(session.run(list(names) or None, feeds))


def test_models_side_by_side_compute_what_each_computes() -> None:
    parts = [convolution(), layernorm(), convolution()]
    whole = merged(parts)
    onnx.checker.check_model(whole, full_check=True)
    assert [item.name for item in whole.graph.output] == ["0/y", "1/y", "2/y"]
    for number, part in enumerate(parts):
        np.testing.assert_array_equal(run(whole, f"{number}/y")[0], run(part)[0])


def test_models_with_subgraphs_keep_what_these_capture() -> None:
    whole = merged([branching("Relu"), looping("Relu"), branching("Abs")])
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.full(IMAGE, -2.0, np.float32)
    feeds = {"0/image": image, "2/image": image, "1/x": np.ones((1, 3), np.float32)}
    found = session.run(None, feeds | {"0/c": np.array(True), "2/c": np.array(False)})
    np.testing.assert_allclose(found[0], np.exp(np.abs(image)), rtol=1e-6)
    np.testing.assert_array_equal(found[1], np.full((1, 3), 3.0))


def test_the_parts_stay_as_they_are_and_give_their_operator_sets() -> None:
    part = attention()
    before = part.SerializeToString(deterministic=True)
    assert merged([part, part]).opset_import[0].version == 23
    assert part.SerializeToString(deterministic=True) == before


def test_one_part_is_prefixed_like_many() -> None:
    assert [item.name for item in merged([convolution()]).graph.input] == ["0/x"]


def test_in_half_every_float_is_half_and_nothing_else_changes() -> None:
    half = in_half(convolution())
    onnx.checker.check_model(half, full_check=True)
    assert reduced_type(half) == "float16"
    kinds = {item.type.tensor_type.elem_type for item in (*half.graph.input, *half.graph.output)}
    assert kinds == {HALF}
    assert reduced_type(convolution()) is None


def test_in_half_casts_and_made_up_tensors_follow() -> None:
    nodes = [
        node("Cast", ["x"], ["i"], to=TensorProto.INT32),
        node("Cast", ["i"], ["f"], to=FLOAT),
        node("RandomNormal", [], ["r"], shape=[2], dtype=FLOAT),
    ]
    half = in_half(model(nodes, [value("x")], [value("f"), value("r", (2,))]))
    targets = [attribute.i for item in half.graph.node for attribute in item.attribute if attribute.name != "shape"]
    assert [target for target in targets if target in (FLOAT, HALF, TensorProto.INT32)] == [
        TensorProto.INT32,
        HALF,
        HALF,
    ]


def test_in_half_reaches_subgraphs() -> None:
    half = in_half(looping("Relu"))
    body = half.graph.node[0].attribute[0].g
    assert body.input[2].type.tensor_type.elem_type == HALF
    assert body.input[0].type.tensor_type.elem_type == TensorProto.INT64


def test_in_half_large_values_are_clipped_and_integers_stay() -> None:
    found = convolution()
    found.graph.initializer.append(numpy_helper.from_array(np.array([1e9, -1e9, 2.0], np.float32), "large"))
    found.graph.initializer.append(numpy_helper.from_array(ints(100_000), "count"))
    stored = {item.name: numpy_helper.to_array(item) for item in in_half(found).graph.initializer}
    assert stored["large"].tolist() == [65504.0, -65504.0, 2.0]
    assert stored["count"].tolist() == [100_000]


def test_a_broken_tensor_stays_broken() -> None:
    found = convolution()
    found.graph.initializer[0].raw_data = b"\0\0\0"
    assert in_half(found).graph.initializer[0].data_type == FLOAT


def test_a_constant_node_follows_too() -> None:
    tensor = numpy_helper.from_array(np.ones(3, np.float32))
    found = model([helper.make_node("Constant", [], ["y"], value=tensor)], [], [value("y", (3,))])
    assert in_half(found).graph.node[0].attribute[0].t.data_type == HALF
