"""Arithmetic and bytes of graphs whose counts are known."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper, parser

from benchmarks.latency.floor import Floor, floor_of
from benchmarks.latency.lightglue_graph import lightglue_graph
from benchmarks.latency.style import Style
from tests.benchmarks.latency.small import DIMENSION, KEYPOINTS, matcher


def test_a_product_counts_two_for_each_multiplication() -> None:
    model = parser.parse_model(
        '<ir_version: 10, opset_import: ["": 20]> g (float[2, 3, 4] x) => (float[2, 3, 5] y) <float[4, 5] w = {'
        + ",".join(["1"] * 20)
        + "}> { y = MatMul(x, w) }"
    )
    floor = floor_of(model)
    assert floor.flops == 2 * 2 * 3 * 4 * 5
    assert floor.weights == 80
    assert floor.io == 4 * (24 + 30)
    assert floor.tensors == floor.io + floor.weights


def test_a_convolution_counts_its_window() -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 8, 8)),
        helper.make_tensor_value_info("w", TensorProto.FLOAT, (4, 2, 3, 3)),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4, 8, 8))]
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs))
    assert floor_of(model).flops == 2 * (4 * 8 * 8) * (2 * 3 * 3)


def test_attention_counts_both_products() -> None:
    nodes = [helper.make_node("Attention", ["q", "k", "v"], ["y"], q_num_heads=2, kv_num_heads=2)]
    inputs = [
        helper.make_tensor_value_info("q", TensorProto.FLOAT16, (1, 5, 16)),
        helper.make_tensor_value_info("k", TensorProto.FLOAT16, (1, 7, 16)),
        helper.make_tensor_value_info("v", TensorProto.FLOAT16, (1, 7, 16)),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT16, (1, 5, 16))]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    assert floor_of(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])).flops == 2 * (2 * 5 * 7 * 16)


def test_a_matchers_attention_grows_with_the_square_of_its_keypoints() -> None:
    weights = {name: value.double().numpy() for name, value in matcher().state_dict().items()}
    few, many = (floor_of(lightglue_graph(weights, Style(count))) for count in (KEYPOINTS, 2 * KEYPOINTS))
    attention, assignment = 2 * 2 * (2 * 2 * 2 * KEYPOINTS**2 * 64), 2 * KEYPOINTS**2 * 64
    assert many.flops - 2 * few.flops == 2 * (attention + assignment)
    assert few.io == 4 * (2 * KEYPOINTS * (2 + DIMENSION) + 2 * KEYPOINTS)
    assert few.weights == pytest.approx(many.weights, abs=8 * KEYPOINTS)  # a row of indices grows with K


def test_the_floor_is_whichever_takes_longer() -> None:
    floor = Floor(flops=10**12, weights=10**9, io=0, tensors=0)
    assert floor.milliseconds(tflops=500, gigabytes=1000) == pytest.approx(2.0)
    assert floor.milliseconds(tflops=500, gigabytes=100) == pytest.approx(10.0)
