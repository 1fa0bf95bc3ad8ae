"""Which reduced tensors of a graph are not finite where it runs: what the range gate says of them beforehand, seen.

Each tensor of a half-precision format gets a sum of its differences with itself: zero, or NaN where one value is Inf or
NaN. Only those sums leave the graph, so it takes no more memory than the graph alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from enginewright.artifacts import write_bytes
from enginewright.gpu.session import Session
from enginewright.graphs.files import graph_bytes
from enginewright.graphs.types import tensor_types
from enginewright.reference import Reference

_HALF = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
_SUM = "/differences"


def overflowing(graph: Path, reference: Reference, provider: str) -> list[str]:
    """Return the names of half-precision tensors that hold Inf or NaN on any sample, in the order of the graph.

    Raises:
        GraphError: if ONNX Runtime does not run the graph.
        RequirementError: if the provider cannot start here.
    """
    model = onnx.load(graph)
    names = _half(model)
    found: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="overflow-") as folder:
        path = Path(folder) / graph.name
        write_bytes(path, graph_bytes(_watched(model, names)))
        session = Session(path, provider)
        for _, inputs, _ in reference.samples():
            sums = session.run(inputs)
            found |= {name for name in names if not np.isfinite(sums[name + _SUM])}
    return [name for name in names if name in found]


def _half(model: onnx.ModelProto) -> list[str]:
    types = tensor_types(model)
    return [name for node in model.graph.node for name in node.output if types.get(name) in _HALF]


def _watched(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    for name in names:
        wide, zero, total = f"{name}/wide", f"{name}/zero", name + _SUM
        model.graph.node.append(helper.make_node("Cast", [name], [wide], wide, to=TensorProto.FLOAT))
        model.graph.node.append(helper.make_node("Sub", [wide, wide], [zero], zero))
        model.graph.node.append(helper.make_node("ReduceSum", [zero], [total], total, keepdims=0))
        model.graph.output.append(helper.make_tensor_value_info(total, TensorProto.FLOAT, ()))
    return model
