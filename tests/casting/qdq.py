"""Small graphs with quantised products, written by hand."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from enginewright.graphs.files import check_graph
from tests.graphs.small import model_of, tensor, value

WIDTH = 16


def quantised(scale: float = 0.5, weight_scale: float = 0.25, dtype: str = "int8") -> onnx.ModelProto:
    """Return x -> first: quantised MatMul -> relu -> second: MatMul -> y, whose weights are stored in fp32."""
    nodes = [
        *_pair("x", "x_scale"),
        *_pair("weight", "weight_scale"),
        _node("MatMul", ["x_back", "weight_back"], "first"),
        _node("Relu", ["first"], "relu"),
        _node("MatMul", ["relu", "weight"], "y", "second"),
    ]
    zero = onnx.helper.make_tensor("zero", _KINDS[dtype], [], [0])
    weight = numpy_helper.from_array(np.eye(WIDTH, dtype=np.float32), "weight")
    stored = [zero, weight, tensor("x_scale", scale), tensor("weight_scale", weight_scale)]
    model = model_of(nodes, [value("x", (4, WIDTH))], [value("y", (4, WIDTH))], stored)
    check_graph(model, "quantised")
    return model


_KINDS = {"int8": onnx.TensorProto.INT8, "float8": onnx.TensorProto.FLOAT8E4M3FN}


def _pair(name: str, scale: str) -> list[onnx.NodeProto]:
    return [
        _node("QuantizeLinear", [name, scale, "zero"], f"{name}_low"),
        _node("DequantizeLinear", [f"{name}_low", scale, "zero"], f"{name}_back"),
    ]


def _node(operator: str, inputs: list[str], output: str, name: str = "") -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], name=name or output)
