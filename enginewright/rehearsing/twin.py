"""The fp32 twin of a typed graph: the same nodes under the same names, with float32 where the graph has less.

A reduced mean is there as its sum and a quotient, which is how kernels hold it (`sums`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from enginewright.graphs.types import tensor_types
from enginewright.graphs.walk import all_messages, all_nodes, all_tensors
from enginewright.rehearsing.formats import FORMATS, Format
from enginewright.rehearsing.sums import SUM, with_sums


@dataclass(frozen=True)
class Twin:
    """A float32 graph, and the format that the typed graph holds each of its reduced tensors in, by name."""

    model: onnx.ModelProto
    reduced: dict[str, Format]


def twin_of(typed: onnx.ModelProto) -> Twin:
    """Return the twin of a strongly typed graph. Its stored tensors are those of the typed graph, rounded as they are.

    Raises:
        onnx.shape_inference.InferenceError: if the types of the graph cannot be inferred.
    """
    reduced = {name: FORMATS[kind] for name, kind in tensor_types(typed).items() if kind in FORMATS}
    model = onnx.ModelProto()
    model.CopyFrom(typed)
    for tensor in all_tensors(model):
        _widen(tensor)
    for node in all_nodes(model):
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in FORMATS:
                attribute.i = TensorProto.FLOAT
    for item in all_messages(model):
        if isinstance(item, onnx.TypeProto.Tensor) and item.elem_type in FORMATS:
            item.elem_type = TensorProto.FLOAT
    means = {node.output[0] for node in model.graph.node if node.op_type == "ReduceMean"} & reduced.keys()
    return Twin(with_sums(model, means), reduced | {f"{name}{SUM}": reduced[name] for name in means})


def _widen(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in FORMATS:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
