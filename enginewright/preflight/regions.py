"""One node cut out of its graph, with just enough around it to be parsed and built alone."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

from enginewright.graphs.walk import subgraphs
from enginewright.preflight.places import Place, read_names

_PLAIN = {
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.STRING,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
}  # fmt: skip
"""Types that a tensor can have without a quantising node beside it."""

_MOST_VALUES = 64
"""Stored tensors up to this size can be shapes, axes or K: their values tell two nodes apart."""


@dataclass
class Region:
    """A small graph around one node, its last: inputs with known types and sizes, stored tensors, nodes in order."""

    target: Place
    places: list[Place] = field(default_factory=list)
    inputs: dict[str, ValueInfoProto] = field(default_factory=dict)
    constants: dict[str, TensorProto] = field(default_factory=dict)

    def model(self, whole: onnx.ModelProto) -> onnx.ModelProto:
        """Return the region as a model of the same operator sets.

        A uint8 tensor inside a graph is another thing than one at its end: where it was inside, a Cast follows.
        """
        ends = {item.name for item in whole.graph.output}
        outputs = [self._output(name, name in ends) for name in filter(None, self.target.node.output)]
        nodes = [*(place.node for place in self.places), *(cast for cast, _ in outputs if cast)]
        values = [value for _, value in outputs]
        graph = helper.make_graph(nodes, "alone", list(self.inputs.values()), values, list(self.constants.values()))
        return helper.make_model(graph, opset_imports=whole.opset_import, ir_version=whole.ir_version)

    def _output(self, name: str, is_end: bool) -> tuple[NodeProto | None, ValueInfoProto]:
        known = self.target.scope.types.get(name)
        kind = element_type(known) if known else 0
        if known and kind == TensorProto.UINT8 and not is_end:
            cast = helper.make_node("Cast", [name], [f"{name}/float"], to=TensorProto.FLOAT)
            return cast, helper.make_tensor_value_info(f"{name}/float", TensorProto.FLOAT, sizes_of(known))
        return None, known if known and kind else helper.make_tensor_value_info(name, TensorProto.FLOAT, None)

    def key(self) -> Hashable:
        """Return what decides whether the builder takes it: operators, attributes, types, sizes; but no names.

        A node with subgraphs is like no other, since names in them mean something.
        """
        if any(True for place in self.places for _ in subgraphs(place.node)):
            return id(self.target)
        numbers: dict[str, int] = {}

        def number(name: str) -> int:
            return numbers.setdefault(name, len(numbers)) if name else -1

        nodes = tuple(_node_key(place.node, tuple(map(number, place.node.input))) for place in self.places)
        for name in (name for place in self.places for name in place.node.output):
            number(name)
        inputs = tuple((number(name), _type_bytes(value)) for name, value in self.inputs.items())
        return nodes, inputs, tuple((number(name), _constant_key(item)) for name, item in self.constants.items())


def region_of(place: Place) -> Region | None:
    """Return the region around a node, or None where a tensor that it reads has no known type and size."""
    region, pending = Region(place), {id(place)}
    return region if _grow(region, place, pending) else None


def _grow(region: Region, place: Place, seen: set[int]) -> bool:
    """Add a node and what it reads; False where that is unknown."""
    for name in read_names(place.node):
        if name in place.scope.constants:
            region.constants[name] = place.scope.constants[name]
        elif not _add(region, place, name, seen):
            return False
    region.places.append(place)
    return True


def _add(region: Region, place: Place, name: str, seen: set[int]) -> bool:
    value, producer = place.scope.types.get(name), place.scope.producers.get(name)
    if producer is not None and (value is None or _needs_producer(value, producer.node)):
        if id(producer) in seen:
            return True
        seen.add(id(producer))
        return _grow(region, producer, seen)
    if value is None or sizes_of(value) is None:
        return False
    region.inputs[name] = value
    return True


def _needs_producer(value: ValueInfoProto, producer: NodeProto) -> bool:
    """Return whether a tensor is one that the builder wants to see made: a shape, an axis, a K, a quantised tensor."""
    sizes = sizes_of(value)
    small = sizes is not None and len(sizes) <= 1
    return producer.op_type == "Constant" or small or element_type(value) not in _PLAIN


def element_type(value: ValueInfoProto) -> int:
    """Return the ONNX element type of a tensor; 0 for what is unknown or no tensor."""
    return int(value.type.tensor_type.elem_type)


def sizes_of(value: ValueInfoProto) -> tuple[int, ...] | None:
    """Return a tensor's sizes, or None unless it has a known type and every size is known."""
    tensor = value.type.tensor_type
    known = (
        tensor.elem_type and tensor.HasField("shape") and all(size.HasField("dim_value") for size in tensor.shape.dim)
    )
    return tuple(size.dim_value for size in tensor.shape.dim) if known else None


def _node_key(node: NodeProto, inputs: tuple[int, ...]) -> Hashable:
    attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
    return node.op_type, node.domain, tuple(attributes), inputs, tuple(bool(name) for name in node.output)


def _type_bytes(value: ValueInfoProto) -> bytes:
    return bytes(value.type.SerializeToString(deterministic=True))


def _constant_key(tensor: TensorProto) -> Hashable:
    size = 1
    for length in tensor.dims:
        size *= length
    if size > _MOST_VALUES:
        return tensor.data_type, tuple(tensor.dims)
    nameless = TensorProto()
    nameless.CopyFrom(tensor)
    nameless.ClearField("name")
    return bytes(nameless.SerializeToString(deterministic=True))
