"""Small ONNX models that hold nodes, tensors and notes in every place that the format has for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
DOMAIN = "tests"
NOTE = "/srv/someone/model.py:12"


def value(name: str, shape: Sequence[int | str | None], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Return a declaration; a string or None in `shape` is an open axis."""
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name: str, values: object, dtype: str = "float32") -> onnx.TensorProto:
    """Return a stored tensor."""
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    tensors: Sequence[onnx.TensorProto] = (),
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    """Return an unchecked model."""
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(tensors))
    opsets = [helper.make_opsetid(DOMAIN, 1), helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, functions=list(functions), opset_imports=opsets, ir_version=10)


def scaled(factor: float = 2.0, shape: Sequence[int | str | None] = (1, 4), output: str = "y") -> onnx.ModelProto:
    """Return the model x times `factor`."""
    node = helper.make_node("Mul", ["x", "factor"], [output], name="scale")
    return model_of([node], [value("x", shape)], [value(output, shape)], [tensor("factor", [factor])])


def write(path: Path, model: onnx.ModelProto) -> Path:
    """Write the model as it is, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def nested(operator: str = "Abs", **attributes: Any) -> onnx.ModelProto:
    """Return a model with an If in its graph and one in a function.

    Each of the four branches holds one `operator`, one Constant and one initializer.
    """
    nodes = [_choice("x", "chosen", operator, attributes), helper.make_node("Again", ["chosen"], ["y"], domain=DOMAIN)]
    body = [_constant("sign", tensor("yes", True, "bool")), _choice("a", "b", operator, attributes)]
    function = helper.make_function(DOMAIN, "Again", ["a"], ["b"], body, [helper.make_opsetid("", OPSET)])
    stored = [tensor("sign", True, "bool")]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], stored, [function])


def _choice(source: str, target: str, operator: str, attributes: dict[str, Any]) -> onnx.NodeProto:
    branches = {
        f"{side}_branch": _branch(source, f"{target}_{side}", operator, attributes) for side in ("then", "else")
    }
    return helper.make_node("If", ["sign"], [target], name=f"choose_{target}", **branches)


def _branch(source: str, target: str, operator: str, attributes: dict[str, Any]) -> onnx.GraphProto:
    nodes = [
        helper.make_node(operator, [source], [f"{target}_changed"], **attributes),
        _constant(f"{target}_one", tensor(f"{target}_constant", [1.0])),
        helper.make_node("Mul", [f"{target}_one", f"{target}_stored"], [f"{target}_factor"]),
        helper.make_node("Mul", [source, f"{target}_factor"], [target]),
    ]
    return helper.make_graph(nodes, f"in_{target}", [], [value(target, (1, 4))], [tensor(f"{target}_stored", [1.0])])


def _constant(name: str, stored: onnx.TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=stored)


def sparse(name: str) -> onnx.SparseTensorProto:
    """Return a sparse tensor of shape (1, 4) with one number, whose values bear `name`."""
    return helper.make_sparse_tensor(tensor(name, [3.0]), tensor(f"{name}_at", [2], "int64"), [1, 4])


def annotated(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with a documentation string and metadata wherever the format has room for them."""
    for item in _fields(model):
        names = item.DESCRIPTOR.fields_by_name
        if "doc_string" in names:
            item.doc_string = NOTE
        if "metadata_props" in names:
            item.metadata_props.add(key="namespace", value=NOTE)
    return model


def _fields(message: Any) -> Iterator[Any]:
    """Yield all messages in a message; written apart from the walk of the project, which is under test."""
    found = [message]
    while found:
        item = found.pop()
        yield item
        for field, held in item.ListFields():
            if field.type == field.TYPE_MESSAGE and field.message_type.name != "StringStringEntryProto":
                found.extend(held if field.is_repeated else [held])
