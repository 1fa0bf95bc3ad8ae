"""Two ONNX graphs: which nodes and which initializers differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx
from onnx import numpy_helper

from enginewright.reproducing.differences.arrays import array_difference


def in_graphs(old: bytes, new: bytes) -> Iterator[str]:
    """Yield each difference of two ONNX files: of the model, its nodes, its initializers, its inputs and outputs."""
    before, after = onnx.ModelProto.FromString(old), onnx.ModelProto.FromString(new)
    yield from _model(before, after)
    yield from _nodes(before.graph.node, after.graph.node)
    yield from _initializers(before.graph, after.graph)
    for kind in ("input", "output", "value_info"):
        yield from _named(kind, getattr(before.graph, kind), getattr(after.graph, kind))


def _model(before: onnx.ModelProto, after: onnx.ModelProto) -> Iterator[str]:
    for name in ("ir_version", "producer_name", "producer_version", "domain", "model_version", "doc_string"):
        if getattr(before, name) != getattr(after, name):
            yield f"{name}: {getattr(before, name)} -> {getattr(after, name)}"
    opsets = [{entry.domain: entry.version for entry in model.opset_import} for model in (before, after)]
    if opsets[0] != opsets[1]:
        yield f"opset_import: {opsets[0]} -> {opsets[1]}"


def _nodes(before: Iterable[onnx.NodeProto], after: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """Yield what differs in nodes, which are known by their first output; then whether their order does."""
    old, new = ({node.output[0]: node for node in nodes if node.output} for nodes in (before, after))
    yield from (f"node {_told(old[key])} is gone" for key in old if key not in new)
    yield from (f"node {_told(new[key])} is new" for key in new if key not in old)
    for key in (key for key in old if key in new and old[key] != new[key]):
        yield f"node {_told(old[key])}: {', '.join(_parts(old[key], new[key]))}"
    common = [key for key in old if key in new]
    moved = [key for key, other in zip(common, (key for key in new if key in old), strict=True) if key != other]
    if moved:
        yield f"{len(moved)} nodes stand elsewhere, {_told(old[moved[0]])} the first"


def _told(node: onnx.NodeProto) -> str:
    return f"{node.name or node.output[0]} ({node.op_type})"


def _parts(old: onnx.NodeProto, new: onnx.NodeProto) -> Iterator[str]:
    if old.op_type != new.op_type:
        yield f"op_type {old.op_type} -> {new.op_type}"
    for kind in ("name", "domain", "doc_string"):
        if getattr(old, kind) != getattr(new, kind):
            yield f"{kind} {getattr(old, kind)!r} -> {getattr(new, kind)!r}"
    for kind in ("input", "output"):
        if list(getattr(old, kind)) != list(getattr(new, kind)):
            yield f"{kind} {list(getattr(old, kind))} -> {list(getattr(new, kind))}"
    before, after = ({item.name: item for item in node.attribute} for node in (old, new))
    yield from (f"attribute {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    if list(old.metadata_props) != list(new.metadata_props):
        yield "metadata"


def _initializers(before: onnx.GraphProto, after: onnx.GraphProto) -> Iterator[str]:
    old, new = ({tensor.name: tensor for tensor in graph.initializer} for graph in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            yield f"initializer {name} is in one of the two alone"
        elif old[name] != new[name]:
            line = array_difference(numpy_helper.to_array(old[name]), numpy_helper.to_array(new[name]))
            yield f"initializer {name}: {line or 'stored otherwise'}"
    if list(old) != list(new) and set(old) == set(new):
        yield "initializers stand in another order"


def _named(kind: str, before: Iterable[onnx.ValueInfoProto], after: Iterable[onnx.ValueInfoProto]) -> Iterator[str]:
    old, new = ({value.name: value for value in values} for values in (before, after))
    yield from (f"{kind} {name} differs" for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name))
    if list(old) != list(new) and set(old) == set(new):
        yield f"{kind}s stand in another order"
