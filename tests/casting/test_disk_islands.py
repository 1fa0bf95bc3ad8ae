"""DISK under the real AutoCast: what a GPU must compute in fp32, and what must not be left in it."""

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

MODEL = disk_model(height=320, width=320, keypoints=32)
"""So large that most pixels' indices exceed what fp16 can hold."""

FP16, FP32 = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
ADDED = 8 + 1
"""Normalised levels of the U-Net, and its last convolution."""


@pytest.mark.parametrize(("exporter", "opset"), [(Exporter.dynamo, 20), (Exporter.torchscript, 17)])
def test_lengths_stay_fp32_and_maps_do_not_whichever_exporter_named_them(
    exporter: Exporter, opset: int, tmp_path: Path
) -> None:
    checkpoint = checkpoint_of(MODEL, tmp_path / "checkpoint.safetensors")
    graph = export.run(MODEL, Form.native, ExportConfig(exporter, opset), checkpoint)
    path = write(tmp_path / "simplified.onnx", graph)
    typed, _ = cast.run(CastConfig(Precision.fp16, samples=1), path, reference_of(MODEL, 1))
    types = tensor_types(typed)
    found = {
        kind: [types[node.output[0]] for node in typed.graph.node if node.op_type == kind]
        for kind in ("ReduceSum", "Sqrt", "Conv", "InstanceNormalization", "TopK", "GatherElements")
    }
    assert found["ReduceSum"] == found["Sqrt"] == [FP32]
    assert found["InstanceNormalization"] + found["Conv"] == [FP16] * (ADDED + 8)
    assert found["TopK"] == [FP16, FP16]
    assert FP32 not in found["GatherElements"], "a cast of all maps in front of a choice of K places"
