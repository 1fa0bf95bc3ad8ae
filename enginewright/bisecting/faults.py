"""Which nodes must stay fp32 for the sake of ranges: known from the ranges themselves, without any search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import onnx

from enginewright.graphs.types import tensor_types
from enginewright.rehearsing.formats import FORMATS
from enginewright.rehearsing.gate import Tensor
from enginewright.rehearsing.origins import Origins
from enginewright.rehearsing.streaming import reads_of
from enginewright.rehearsing.sums import SUM


def faulty(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Return the tensors that do not fit their format."""
    return [tensor for tensor in tensors if tensor.fault is not None]


def nodes_at(typed: onnx.ModelProto, tensors: Iterable[str]) -> frozenset[str]:
    """Return the nodes that make or read one of these tensors: the least set that keeps all of them in float32.

    A tensor has one format for its maker and one for each reader, with casts between those that differ. If its maker
    is reduced, then the value is rounded as it is made. If a reader is reduced, then a cast in front of it rounds the
    same value to the same format, which overflows just the same. So a tensor that does not fit is in no reduced format
    exactly if its maker and every reader compute in float32: each of these nodes is needed, and no other node can
    hold the tensor. The union over the tensors at fault is therefore exact, and no node of it can be left out. What
    its nodes make besides is rounded at the edge of the set, as it was before, and fitted there.

    Casts and quantisation that only carry a tensor belong to neither side: behind them it is the same tensor. The sum
    of a mean is inside its node, which alone has to hold it.
    """
    origins, found = Origins(typed), list(tensors)
    roots = {origins.of(name) for name in found if not name.endswith(SUM)}
    means = {name.removesuffix(SUM) for name in found if name.endswith(SUM)}
    return frozenset(
        node.name
        for node in _computing(typed, origins)
        if not roots.isdisjoint(map(origins.of, _touched(node))) or not means.isdisjoint(node.output)
    )


def candidates(typed: onnx.ModelProto, source: onnx.ModelProto) -> list[str]:
    """Return the nodes that could be kept fp32 and are not: they touch a reduced tensor and `source` names them too."""
    types, origins = tensor_types(typed), Origins(typed)
    named = {node.name for node in source.graph.node}
    nodes = (node for node in _computing(typed, origins) if node.name in named)
    return [node.name for node in nodes if any(types.get(name) in FORMATS for name in _touched(node))]


def by_module(nodes: Iterable[str], modules: dict[str, str]) -> dict[str, Sequence[str]]:
    """Return the nodes of each torch module, modules in the nodes' order; those of none are together."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        found.setdefault(modules.get(node, ""), []).append(node)
    return dict(found)


def _computing(typed: onnx.ModelProto, origins: Origins) -> Iterator[onnx.NodeProto]:
    return (node for node in typed.graph.node if node.op_type != "Constant" and not origins.is_shore(node))


def _touched(node: onnx.NodeProto) -> Iterator[str]:
    yield from reads_of(node)
    yield from node.output
