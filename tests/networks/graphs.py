"""Graphs of the networks, run and built, for their tests."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorrt_rtx as trt
from numpy.typing import NDArray
from torch import Tensor

from enginewright.graphs.clean import strip_notes

FORBIDDEN = {"NonZero", "DeformConv", "ScatterND", "Loop", "If", "Attention"}
"""Operators that TensorRT-RTX refuses, or that say that a shape depends on data."""


def operators(model: onnx.ModelProto) -> Counter[str]:
    """Return how often each operator is used."""
    return Counter(node.op_type for node in model.graph.node)


def size_of(model: onnx.ModelProto) -> int:
    """Return the bytes of a graph without the exporter's notes, which are longer the deeper the project lies."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    strip_notes(bare)
    return int(bare.ByteSize())


def run_graph(model: onnx.ModelProto, inputs: tuple[Tensor, ...]) -> list[NDArray[Any]]:
    """Return the graph's outputs from ONNX Runtime."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {port.name: tensor.numpy() for port, tensor in zip(session.get_inputs(), inputs, strict=True)}
    outputs: list[NDArray[Any]] = session.run(None, feeds)
    return outputs


def engine_bytes(model: onnx.ModelProto) -> int:
    """Return the size of the fp32 engine that TensorRT-RTX builds from the graph; its complaint fails the test."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    parsed = parser.parse(model.SerializeToString())
    assert parsed, [parser.get_error(i).desc() for i in range(parser.num_errors)]
    plan = builder.build_serialized_network(network, builder.create_builder_config())
    assert plan is not None
    return int(plan.nbytes)


def assert_close(got: list[NDArray[Any]], expected: tuple[Tensor, ...], atol: float) -> None:
    """Compare outputs one by one: same number, type, shape and values."""
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == other.numpy().dtype
        np.testing.assert_allclose(one, other.numpy(), atol=atol, rtol=0)
