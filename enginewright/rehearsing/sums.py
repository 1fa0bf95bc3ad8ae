"""Means as the kernels of a GPU form them: a sum, held in the tensor's own type, and a quotient.

Measured with ONNX Runtime's CUDA provider 1.31.1 on an H200: a decomposed LayerNorm of 512 channels loses each row
whose squares sum to more than 65504, though their mean is 128. With means taken in float32 a rehearsal kept 2753 of
2755 matches of LightGlue on DISK, with sums in float16 890; the GPU kept 887.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import TensorProto, helper

SUM, COUNT = "/sum", "/count"
"""What the names of a mean's sum, and of how many values it has, end in."""


def with_sums(model: onnx.ModelProto, means: set[str]) -> onnx.ModelProto:
    """Return the model with each ReduceMean whose output is in `means` as ReduceSum and a division by the count."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    nodes = [step for node in model.graph.node for step in _steps(node, means)]
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    found.graph.initializer.extend(axes for node in model.graph.node if summed(node, means) for axes in _axes(node))
    return found


def summed(node: onnx.NodeProto, means: set[str]) -> bool:
    """Return whether a node is such a mean."""
    return node.op_type == "ReduceMean" and node.output[0] in means


def _steps(node: onnx.NodeProto, means: set[str]) -> Iterator[onnx.NodeProto]:
    if not summed(node, means):
        yield node
        return
    mean = node.output[0]
    total = onnx.NodeProto()
    total.CopyFrom(node)
    total.op_type, total.name, total.output[0] = "ReduceSum", f"{node.name}{SUM}", f"{mean}{SUM}"
    for axes in _axes(node):
        total.input.append(axes.name)
        kept = [attribute for attribute in total.attribute if attribute.name != "axes"]
        del total.attribute[:]
        total.attribute.extend(kept)
    yield total
    yield from _count(node.input[0], mean)
    yield helper.make_node("Div", [f"{mean}{SUM}", f"{mean}{COUNT}"], [mean], node.name)


def _axes(node: onnx.NodeProto) -> Iterator[onnx.TensorProto]:
    """Yield the axes of a mean below opset 18, where they are an attribute: those of a sum are an input from 13 on."""
    for attribute in node.attribute:
        if attribute.name == "axes":
            yield helper.make_tensor(
                f"{node.output[0]}/axes", TensorProto.INT64, [len(attribute.ints)], list(attribute.ints)
            )


def _count(values: str, mean: str) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that count the values of one mean, whatever axes are open: as many as there are more values."""
    count = f"{mean}{COUNT}"
    yield helper.make_node("Size", [values], [f"{count}/all"], f"{count}/all")
    yield helper.make_node("Size", [f"{mean}{SUM}"], [f"{count}/means"], f"{count}/means")
    yield helper.make_node("Div", [f"{count}/all", f"{count}/means"], [f"{count}/whole"], f"{count}/whole")
    yield helper.make_node("Cast", [f"{count}/whole"], [count], count, to=TensorProto.FLOAT)
