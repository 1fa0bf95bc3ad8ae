"""Types and sizes of every tensor, as far as ONNX can tell, with dynamic axes at one size of their profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import onnx
from onnx import inliner

from enginewright.preflight.places import Place, places_of, read_names

_SHAPE_OPERATORS = {"Shape", "Size"}
_INLINED = re.compile(r"__\d+$")
"""What ONNX appends to the name of a node that it takes out of a function."""


def without_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its functions put where they are called, each node named after its function as well."""
    if not model.functions:
        return model
    owners = {(node.op_type, node.name): function.name for function in model.functions for node in function.node}
    inlined: onnx.ModelProto = inliner.inline_local_functions(model)
    for place in places_of(inlined):
        name = _INLINED.sub("", place.node.name)
        if (owner := owners.get((place.node.op_type, name))) is not None:
            place.node.name = f"{owner}/{place.node.name or place.index}"
    return inlined


def with_known_types(model: onnx.ModelProto, sizes: Mapping[str, int]) -> onnx.ModelProto:
    """Return a copy of a model without functions, with dynamic axes at `sizes` (by axis name) and types inferred.

    Where inference refuses the graph the copy has fewer types: what is wrong is for the builder to say.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in copy.graph.input:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param in sizes:
                size.dim_value = sizes[size.dim_param]
    if sizes:  # what the exporter wrote between the nodes still has the axes open, and would win
        del copy.graph.value_info[:]
        _forget_sizes(copy.graph.output)
    try:
        return onnx.shape_inference.infer_shapes(copy, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError):
        return copy


def _forget_sizes(values: Iterable[onnx.ValueInfoProto]) -> None:
    for value in values:
        value.type.tensor_type.ClearField("shape")


def foldable(places: Iterable[Place], pinned: bool) -> set[int]:
    """Return the ids of the places whose results depend on no input: a simplifier computes them away.

    The shape of a tensor is such a result too, unless its sizes are known only because axes were `pinned`.
    """
    found: set[int] = set()
    for place in places:
        static = not pinned and _is_static_shape(place)
        if static or (
            all(_is_constant(place, name, found) for name in read_names(place.node)) and not _is_random(place)
        ):
            found.add(id(place))
    return found


def _is_constant(place: Place, name: str, found: set[int]) -> bool:
    producer = place.scope.producers.get(name)
    return name in place.scope.constants or (producer is not None and id(producer) in found)


def _is_random(place: Place) -> bool:
    return place.node.op_type.startswith("Random") or place.node.op_type in ("Bernoulli", "Multinomial")


def _is_static_shape(place: Place) -> bool:
    value = place.scope.types.get(place.node.input[0]) if place.node.op_type in _SHAPE_OPERATORS else None
    return value is not None and all(size.HasField("dim_value") for size in value.type.tensor_type.shape.dim)
