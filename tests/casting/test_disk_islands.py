"""DISK's fp32 islands under the real AutoCast: on a GPU its means overflow in fp16, which no CPU shows."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from enginewright.config.choices import Exporter, Form, Precision
from enginewright.config.sections import CastConfig, ExportConfig
from enginewright.graphs.types import tensor_types
from stages import cast, export
from tests.graphs.small import write
from tests.models import disk_model
from tests.stages.tiny_stage import checkpoint_of, reference_of

MODEL = disk_model(height=64, width=64, keypoints=32)
LEVELS = 8
"""Gated convolutions of the U-Net, each with a mean and a variance, of two sums each."""


@pytest.mark.parametrize(("exporter", "opset"), [(Exporter.dynamo, 20), (Exporter.torchscript, 17)])
def test_the_means_of_disk_stay_fp32_whichever_exporter_named_them(
    exporter: Exporter, opset: int, tmp_path: Path
) -> None:
    checkpoint = checkpoint_of(MODEL, tmp_path / "checkpoint.safetensors")
    graph = export.run(MODEL, Form.native, ExportConfig(exporter, opset), checkpoint)
    path = write(tmp_path / "simplified.onnx", graph)
    typed, metrics = cast.run(CastConfig(Precision.fp16, samples=1), path, reference_of(MODEL, 1))
    types = tensor_types(typed)
    means = [node for node in typed.graph.node if node.op_type == "ReduceMean"]
    assert len(means) == 4 * LEVELS
    assert {types[node.output[0]] for node in means} == {onnx.TensorProto.FLOAT}
    squares = {node.input[0] for node in means} & {node.output[0] for node in typed.graph.node if node.op_type == "Mul"}
    assert len(squares) == LEVELS
    assert {types[name] for name in squares} == {onnx.TensorProto.FLOAT}
    assert metrics["fp32_nodes"] >= 5 * LEVELS
    convolutions = [node for node in typed.graph.node if node.op_type == "Conv"]
    assert {types[node.output[0]] for node in convolutions} == {onnx.TensorProto.FLOAT16}
