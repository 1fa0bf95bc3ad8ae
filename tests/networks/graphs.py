"""Small exports, run and parsed, for the tests of the networks."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import tensorrt_rtx as trt
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from enginewright.config.choices import Exporter
from enginewright.contract import Contract

FORBIDDEN = {"NonZero", "DeformConv", "ScatterND", "Loop", "If", "Attention"}
"""Operators that TensorRT-RTX refuses, or that say that a shape depends on data."""


def exported(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    contract: Contract,
    exporter: Exporter = Exporter.torchscript,
    opset: int = 20,
    dynamic: bool = False,
) -> onnx.ModelProto:
    """Return the module's graph."""
    axes = {port.name: {i: axis for i, axis in enumerate(port.axes) if axis in port.dynamic} for port in contract.ports}
    names = {"input_names": [p.name for p in contract.inputs], "output_names": [p.name for p in contract.outputs]}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter is Exporter.torchscript:
            buffer = io.BytesIO()
            torch.onnx.export(
                module,
                inputs,
                cast("Any", buffer),
                dynamo=False,
                opset_version=opset,
                dynamic_axes=axes if dynamic else None,
                **names,
            )
            return onnx.load_model_from_string(buffer.getvalue())
        shapes = tuple({i: torch.export.Dim.AUTO for i in axes[port.name]} for port in contract.inputs)
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            opset_version=opset,
            dynamic_shapes=shapes if dynamic else None,
            verbose=False,
            **names,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def operators(model: onnx.ModelProto) -> Counter[str]:
    """Return how often each operator is used."""
    return Counter(node.op_type for node in model.graph.node)


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
