"""Small networks that half precision breaks: by a square that overflows, and by a sum that cancels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from enginewright.bisecting.case import Case, write_typed
from enginewright.config.choices import Precision, Source
from enginewright.config.models import ModelConfig
from enginewright.config.network import NetworkConfig
from enginewright.config.sections import CastConfig, CheckpointConfig, CompareConfig
from enginewright.graphs.modules import keep_modules
from enginewright.reference import Reference
from tests.graphs.small import model_of, tensor, value, write
from tests.rehearsing import graphs

GATE = CompareConfig(max_abs=0.02, mean_abs=0.01, p99_abs=0.02, cosine=0.999)
TIGHT = CompareConfig(max_abs=0.0006, mean_abs=0.0003, p99_abs=0.0006, cosine=0.9999)
SHIFT, FACTOR = 20.0, 1 / 3


def mean_square() -> onnx.ModelProto:
    """Return y = x / sqrt(mean(x * x)) in fp32, before any cast; its middle is one module, the quotient another."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"], "square"),
        helper.make_node("ReduceMean", ["square", "axes"], ["mean"], "mean"),
        helper.make_node("Sqrt", ["mean"], ["root"], "root"),
        helper.make_node("Div", ["x", "root"], ["y"], "quotient"),
    ]
    model = model_of(nodes, [_x()], [_y()], [tensor("axes", [-1], "int64")])
    keep_modules(model, {"square": "norm", "mean": "norm", "root": "norm", "quotient": "out"})
    return model


def shifted() -> onnx.ModelProto:
    """Return y = ((x / 3 + 20) - 20) / 3: nothing overflows, and what stands between both sums loses x's bits."""
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"], "scale"),
        helper.make_node("Add", ["scaled", "shift"], ["far"], "there"),
        helper.make_node("Sub", ["far", "shift"], ["near"], "back"),
        helper.make_node("Mul", ["near", "factor"], ["y"], "last"),
    ]
    stored = [tensor("factor", [FACTOR]), tensor("shift", [SHIFT])]
    model = model_of(nodes, [_x()], [_y()], stored)
    keep_modules(model, {"scale": "first", "there": "sum", "back": "sum", "last": "second"})
    return model


def shifted_reference(error: float = 0.0) -> Reference:
    """Return x up to 1 and its y, with an error that no precision makes up for."""
    x = np.linspace(-1, 1, graphs.WIDTH, dtype=np.float32)[None, None].repeat(2, axis=0)
    return Reference({"x": x}, {"y": x * np.float32(FACTOR**2) + np.float32(error)}, ("a", "b"), graphs.CONTRACT)


def case(folder: Path, source: onnx.ModelProto, reference: Reference, gate: CompareConfig = GATE) -> Case:
    """Return the case of a network, cast to fp16 without regard to its ranges."""
    config = NetworkConfig(
        extractor="small",
        extractor_adapter="small",
        model=ModelConfig(adapter="small"),
        checkpoint=CheckpointConfig(Source.none),
        cast=CastConfig(precision=Precision.fp16, data_max=1e9),
        compare=gate,
    )
    path, typed = write(folder / "simplified.onnx", source), folder / "typed.onnx"
    write_typed(typed, path, reference, config, config.cast)
    return Case("small", config, reference, path, path, typed, folder)


def _x() -> onnx.ValueInfoProto:
    return value("x", (1, graphs.WIDTH))


def _y() -> onnx.ValueInfoProto:
    return value("y", (1, graphs.WIDTH))
