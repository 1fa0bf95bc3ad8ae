"""Which tensors a node reads that computes in float32 inside a reduced graph."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import TensorProto

from enginewright.rehearsing.formats import Format
from enginewright.rehearsing.origins import Origins
from enginewright.rehearsing.streaming import reads_of


def exact(tensor: str) -> str:
    """Return the name of a reduced tensor before it is rounded."""
    return f"{tensor}/exact"


def keep_exact(
    model: onnx.ModelProto, reduced: Mapping[str, Format], full: frozenset[str], source: onnx.ModelProto | None
) -> None:
    """Let the nodes in `full` read exact tensors where there are any, in a twin whose tensors are not yet rounded.

    A cast back to float32 passes an exact tensor on too: in a graph that was cast anew there would be none. source: the
    graph before the cast, for stored tensors; they are found by node and place, as a cast gives them other names.
    """
    origins = Origins(model)
    made = {name for node in model.graph.node if node.name in full for name in node.output if name in reduced}
    stored = _stored(source) if source else {}
    for node in model.graph.node:
        if node.name in full:
            for index, name in enumerate(node.input):
                node.input[index] = _source(model, stored.get((node.name, index))) or _read(origins.of(name), made)
        elif origins.is_shore(node) and node.output[0] not in reduced:
            node.input[0] = _read(node.input[0], made)
    _drop_unread(model)


def _read(name: str, made: set[str]) -> str:
    return exact(name) if name in made else name


def _stored(source: onnx.ModelProto) -> dict[tuple[str, int], onnx.TensorProto]:
    """Return the stored float32 tensors by (node, place among its inputs)."""
    tensors = {item.name: item for item in source.graph.initializer if item.data_type == TensorProto.FLOAT}
    places = ((node, index, name) for node in source.graph.node for index, name in enumerate(node.input))
    return {(node.name, index): tensors[name] for node, index, name in places if name in tensors}


def _source(model: onnx.ModelProto, tensor: onnx.TensorProto | None) -> str | None:
    """Return the name under which the model now has the tensor, or None for none."""
    if tensor is None:
        return None
    name = f"{tensor.name}/source"
    if all(item.name != name for item in model.graph.initializer):
        model.graph.initializer.add().CopyFrom(tensor)
        model.graph.initializer[-1].name = name
    return name


def _drop_unread(model: onnx.ModelProto) -> None:
    """Remove the rounded stored tensors that nothing reads any more, which ONNX Runtime would warn of one by one."""
    read = {name for node in model.graph.node for name in reads_of(node)} | {item.name for item in model.graph.output}
    for index in reversed(range(len(model.graph.initializer))):
        if model.graph.initializer[index].name not in read:
            del model.graph.initializer[index]
