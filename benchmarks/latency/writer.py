"""Nodes and tensors of a graph that is written by hand, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
INT32 = TensorProto.INT32


class Writer:
    """A graph in the making. `dtype` is what weights are stored in; a value is the name of its tensor."""

    def __init__(self, dtype: str) -> None:
        self.type = TYPES[dtype]
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs."""
        name = f"{operator}_{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name, domain=domain, **attributes))
        return names

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output and return its name."""
        return self.node(operator, *inputs, **attributes)[0]

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Add a tensor in the graph's own type."""
        kind: Any = helper.tensor_dtype_to_np_dtype(self.type)
        self.tensors[name] = numpy_helper.from_array(np.array(value, dtype=kind, order="C"), name)
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a tensor in the type that it has; one of that name is there once."""
        self.tensors.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def shape(self, *sizes: int) -> str:
        """Return a constant that Reshape and Split take."""
        return self.constant(f"shape_{'_'.join(map(str, sizes))}", np.array(sizes, np.int64))

    def reshape(self, value: str, *sizes: int) -> str:
        """Return the value in another shape."""
        return self("Reshape", value, self.shape(*sizes))

    def cast(self, value: str, kind: int | None = None) -> str:
        """Return the value in another type, by default the graph's own; nothing is added where that is float32."""
        kind = self.type if kind is None else kind
        return value if self.type == kind == TensorProto.FLOAT else self("Cast", value, to=kind)

    def model(self, inputs: Sequence[Any], outputs: Sequence[Any], opset: int) -> onnx.ModelProto:
        """Return the finished model."""
        graph = helper.make_graph(self.nodes, "lightglue", inputs, outputs, list(self.tensors.values()))
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=11)
