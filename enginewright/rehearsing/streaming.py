"""Runs a graph piece by piece and shows every tensor that it computes, holding a few at a time.

All tensors of a matcher at 1024 keypoints come to gigabytes. A piece is a graph of its own: it takes what earlier
pieces made and gives everything it makes; what no later piece reads is let go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from enginewright.graphs.exact_session import exact_session, not_run_by

Observer = Callable[[str, NDArray[Any]], None]

_NODES_AT_ONCE = 8
"""Nodes of a piece: at 1024 keypoints their results stay below half a gigabyte."""

_WHAT = "a piece of the graph"


class Streamed:
    """A graph cut into pieces, ready to run.

    Raises:
        GraphError: if ONNX Runtime does not take a piece.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._pieces = [_Piece(model, nodes) for nodes in _cut(model.graph.node)]
        self._outputs = {value.name for value in model.graph.output}

    def run(self, inputs: Mapping[str, NDArray[Any]], observe: Observer) -> dict[str, NDArray[Any]]:
        """Show every computed tensor to `observe` by name, in the graph's order, and return the graph's outputs."""
        outputs = {name: value for name, value in inputs.items() if name in self._outputs}
        for name, value in self.stream(inputs):
            observe(name, value)
            if name in self._outputs:
                outputs[name] = value
        return outputs

    def stream(self, inputs: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield (name, value) of every computed tensor in the graph's order, so that two graphs can run in step."""
        held: dict[str, NDArray[Any]] = dict(inputs)
        for number, piece in enumerate(self._pieces):
            for name, value in piece.run(held):
                yield name, value
                held[name] = value
            needed = {name for later in self._pieces[number + 1 :] for name in later.reads}
            held = {name: value for name, value in held.items() if name in needed}


class _Piece:
    """Consecutive nodes as a graph of their own. reads: the tensors that it takes from around it."""

    def __init__(self, model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
        self.makes = [name for node in nodes for name in node.output if name]
        stored = {tensor.name: tensor for tensor in model.graph.initializer}
        read = list(dict.fromkeys(name for node in nodes for name in reads_of(node) if name not in self.makes))
        self.reads = [name for name in read if name not in stored]
        graph = onnx.GraphProto(name="piece", node=nodes)
        graph.initializer.extend(stored[name] for name in read if name in stored)
        types = {value.name: value for value in (*model.graph.value_info, *model.graph.input, *model.graph.output)}
        graph.input.extend(_open(types[name]) for name in self.reads)
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in self.makes)
        whole = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, graph=graph)
        whole.functions.extend(model.functions)
        self._session = exact_session(whole, _WHAT)

    def run(self, held: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield (name, value) of every tensor that the piece makes."""
        try:
            values = self._session.run(self.makes, {name: held[name] for name in self.reads})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise not_run_by(_WHAT, error) from error
        yield from zip(self.makes, map(np.asarray, values), strict=True)


def _cut(nodes: Sequence[onnx.NodeProto]) -> Iterator[list[onnx.NodeProto]]:
    """Yield the nodes in pieces, none of which ends between a quantised tensor and a reader of it.

    numpy has no 8-bit float to hold such a tensor in.
    """
    readers = Counter(name for node in nodes for name in reads_of(node))
    piece: list[onnx.NodeProto] = []
    waiting: Counter[str] = Counter()
    for node in nodes:
        piece.append(node)
        waiting.subtract(name for name in reads_of(node) if name in waiting)
        if node.op_type == "QuantizeLinear":
            waiting[node.output[0]] = readers[node.output[0]]
        if len(piece) >= _NODES_AT_ONCE and not any(waiting.values()):
            yield piece
            piece = []
    if piece:
        yield piece


def reads_of(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node and its subgraphs read from the graph around them."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            made = {name for item in inner.node for name in item.output} | {item.name for item in inner.initializer}
            made |= {value.name for value in inner.input}
            yield from (name for item in inner.node for name in reads_of(item) if name not in made)
            yield from (value.name for value in inner.output if value.name not in made)


def _open(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """Return the type of a tensor without its sizes, which a piece need not know."""
    kind = onnx.TypeProto(tensor_type=onnx.TypeProto.Tensor(elem_type=value.type.tensor_type.elem_type))
    return onnx.ValueInfoProto(name=value.name, type=kind)
