"""Typed graphs with known defects: a mean square that half precision cannot hold, and one that it can."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from enginewright.contract import Contract, Kind, Port
from enginewright.reference import Reference
from tests.graphs.small import model_of, tensor, value

LOW = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
WIDTH = 8

CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("x", ("batch", "width")),),
    outputs=(Port("y", ("batch", "width")),),
    sizes={"batch": 1, "width": WIDTH},
)


def mean_square(low: str = "float16") -> onnx.ModelProto:
    """Return y = x / sqrt(mean(x * x)), all of it in `low`."""
    nodes = [
        helper.make_node("Cast", ["x"], ["x_low"], "down", to=LOW[low]),
        helper.make_node("Mul", ["x_low", "x_low"], ["square"], "square"),
        helper.make_node("ReduceMean", ["square", "axes"], ["mean"], "mean"),
        helper.make_node("Sqrt", ["mean"], ["root"], "root"),
        helper.make_node("Div", ["x_low", "root"], ["quotient"], "quotient"),
        helper.make_node("Cast", ["quotient"], ["y"], "up", to=TensorProto.FLOAT),
    ]
    return model_of(nodes, [value("x", (1, WIDTH))], [value("y", (1, WIDTH))], [tensor("axes", [-1], "int64")])


def reference(largest: float, samples: int = 2) -> Reference:
    """Return samples x up to `largest` in magnitude, the second half as large, and the original's y."""
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, None] * np.float32(largest)
    x = np.concatenate([x / (index + 1) for index in range(samples)])
    y = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True))
    names = tuple(f"sample/{index}" for index in range(samples))
    return Reference({"x": x}, {"y": y.astype(np.float32)}, names, CONTRACT)
