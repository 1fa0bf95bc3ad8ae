"""Small ONNX models that hold nodes and tensors in every place that the format has for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
DOMAIN = "tests"
NOTES = {"doc_string": "/home/someone/model.py:12", "metadata_props": "/home/someone"}


def value(name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Return a declaration; a string in `shape` is an open axis."""
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name: str, values: object, dtype: str = "float32") -> onnx.TensorProto:
    """Return a stored tensor."""
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    tensors: Sequence[onnx.TensorProto] = (),
    **more: Any,
) -> onnx.ModelProto:
    """Return an unchecked model; `more` goes to make_model."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", more.pop("opset", OPSET)), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **more)


def scaled(factor: float = 2.0, output: str = "y", shape: Sequence[int | str] = (1, 4)) -> onnx.ModelProto:
    """Return x (1, 4) times `factor`."""
    node = helper.make_node("Mul", ["x", "factor"], [output], name="scale")
    return model_of([node], [value("x", shape)], [value(output, shape)], [tensor("factor", [factor])])


def nested(inner: str = "Abs") -> onnx.ModelProto:
    """Return a model with a node, a tensor and an If in its graph and in a function, `inner` nodes in all branches.

    Abs nodes: two in the If of the main graph and two in that of the function.
    """
    call = helper.make_node("Doubled", ["chosen"], ["y"], name="call", domain=DOMAIN)
    nodes = [_condition("sign"), _choice("x", "chosen", inner), call]
    return model_of(
        nodes, [value("x", (1, 4))], [value("y", (1, 4))], [tensor("zero", 0.0)], functions=[_doubled(inner)]
    )


def _condition(name: str, source: str = "x") -> onnx.NodeProto:
    return helper.make_node("Cast", [f"{source}_flag" if source != "x" else "flag"], [name], to=TensorProto.BOOL)


def _choice(source: str, target: str, inner: str) -> onnx.NodeProto:
    branches = {f"{side}_branch": _branch(source, f"{target}_{side}", inner) for side in ("then", "else")}
    return helper.make_node("If", ["sign"], [target], name=f"choose_{target}", **branches)


def _branch(source: str, target: str, inner: str) -> onnx.GraphProto:
    constant = helper.make_node("Constant", [], [f"{target}_one"], value=tensor(f"{target}_value", 1.0))
    nodes = [
        constant,
        helper.make_node(inner, [source], [f"{target}_inner"]),
        helper.make_node("Mul", [f"{target}_inner", f"{target}_one"], [f"{target}_product"]),
        helper.make_node("Mul", [f"{target}_product", f"{target}_stored"], [target]),
    ]
    outputs = [value(target, (1, 4))]
    return helper.make_graph(nodes, f"graph_{target}", [], outputs, [tensor(f"{target}_stored", 1.0)])
