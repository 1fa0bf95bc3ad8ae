"""Artifacts with known defects, and the reference that they are compared with: y is twice x."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from enginewright.contract import Contract, Kind, Port
from enginewright.reference import Reference
from tests.graphs.small import model_of, scaled, tensor, value, write

CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("x", ("batch", "width")),),
    outputs=(Port("y", ("batch", "width")),),
    sizes={"batch": 1, "width": 4},
)


def reference(samples: int = 3) -> Reference:
    """Return samples x in -1..1 and y = 2 x."""
    x = np.random.default_rng(0).uniform(-1, 1, (samples, 1, 4)).astype(np.float32)
    return Reference({"x": x}, {"y": 2 * x}, tuple(f"sample/{index}" for index in range(samples)), CONTRACT)


def _with(operator: str, stored: float | None = None) -> onnx.ModelProto:
    inputs = ["x"] if stored is None else ["x", "stored"]
    tensors = [] if stored is None else [tensor("stored", [stored])]
    return model_of([helper.make_node(operator, inputs, ["y"])], [value("x", (1, 4))], [value("y", (1, 4))], tensors)


def _double() -> onnx.ModelProto:
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.DOUBLE)]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4), TensorProto.DOUBLE)])


def _empty() -> onnx.ModelProto:
    stored = [tensor("start", [0], "int64"), tensor("stop", [0], "int64"), tensor("axis", [1], "int64")]
    node = helper.make_node("Slice", ["x", "start", "stop", "axis"], ["y"])
    return model_of([node], [value("x", (1, 4))], [value("y", (1, 0))], stored)


def _wide() -> onnx.ModelProto:
    node = helper.make_node("Concat", ["x", "x"], ["y"], axis=1)
    return model_of([node], [value("x", (1, 4))], [value("y", (1, 8))])


def _half() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], to=TensorProto.FLOAT16),
        helper.make_node("Mul", ["low", "two"], ["twice"]),
        helper.make_node("Cast", ["twice"], ["y"], to=TensorProto.FLOAT),
    ]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], [tensor("two", [2.0], "float16")])


MAKE: dict[str, Callable[[], onnx.ModelProto]] = {
    "sound": scaled,
    "half": _half,
    "off": lambda: scaled(2.1),
    "nan": lambda: _with("Sqrt"),
    "inf": lambda: _with("Div", 0.0),
    "empty": _empty,
    "double": _double,
    "wide": _wide,
    "missing": lambda: scaled(output="z"),
    "unknown operator": lambda: _with("NoSuchOperator"),
    "other size": lambda: scaled(shape=(1, 5)),
}


def artifact(folder: Path, kind: str, name: str = "") -> Path:
    """Write the artifact of that kind as `folder`/NAME.onnx; its own name where none is given."""
    return write(folder / f"{name or kind}.onnx", MAKE[kind]())
