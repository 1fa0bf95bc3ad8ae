"""What shape inference knows of the values of a graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

MOST = 4096
"""A constant of more elements is a weight: neither a number in an array's shape nor a list of axes."""


@dataclass(frozen=True)
class Known:
    """The ONNX element type of a value and its shape: None for an axis, or for all of them, that is not known."""

    kind: int
    shape: tuple[int | None, ...] | None


def inferred(
    graph: onnx.GraphProto,
    around: Mapping[str, Known],
    constants: Mapping[str, NDArray[Any]],
    opsets: Sequence[onnx.OperatorSetIdProto],
) -> dict[str, Known]:
    """Return what is known of the values of a graph; `around`, `constants`: what it reads of the graphs around it.

    Each graph is inferred by itself: inference over a whole model keeps what it finds in a loop's body to itself.
    """
    alone = _without_weights(graph)
    alone.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    alone.input.extend(
        onnx.helper.make_tensor_value_info(name, known.kind, known.shape)
        for name, known in around.items()
        if name not in constants
    )
    model = onnx.helper.make_model(alone, opset_imports=list(opsets))
    found = known_of(onnx.shape_inference.infer_shapes(model, data_prop=True).graph)
    return {name: known for name, known in found.items() if name not in around}


def _without_weights(graph: onnx.GraphProto) -> onnx.GraphProto:
    """Return a copy in which weights are inputs: their shapes say all, and their bytes would be copied three times."""
    alone = onnx.GraphProto()
    for part in ("node", "input", "output", "value_info", "sparse_initializer"):
        getattr(alone, part).extend(getattr(graph, part))
    given = {value.name for value in graph.input}
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= MOST:
            alone.initializer.append(tensor)
        elif tensor.name not in given:
            alone.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return alone


def known_of(graph: onnx.GraphProto) -> dict[str, Known]:
    """Return what a graph declares of its values, which after inference is all that is known of them."""
    found = {name: known for value in _values(graph) if (known := _known(value)) for name in [value.name]}
    return found | {tensor.name: Known(tensor.data_type, tuple(tensor.dims)) for tensor in graph.initializer}


def _values(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    yield from graph.value_info
    yield from graph.input
    yield from graph.output


def _known(value: onnx.ValueInfoProto) -> Known | None:
    if not value.type.HasField("tensor_type"):
        return None
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Known(tensor.elem_type, None)
    return Known(tensor.elem_type, tuple(_size(axis) for axis in tensor.shape.dim))


def _size(axis: onnx.TensorShapeProto.Dimension) -> int | None:
    return int(axis.dim_value) if axis.HasField("dim_value") else None
