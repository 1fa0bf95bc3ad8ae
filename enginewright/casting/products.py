"""What is quantised in a typed graph: which nodes, how many of those that could be, and by which scales."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from enginewright.casting.islands import SHORES
from enginewright.config.quantised import PRODUCTS
from enginewright.errors import GraphError

LEAST_SHARE = 0.25
"""Least share of the products, but for those that configuration leaves out, that a quantised graph quantises."""


def quantised_nodes(model: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes of the main graph whose data are quantised: their first two inputs, or their one.

    Weights, where there are any, are among those.
    """
    back = {name for node in model.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    nodes = (node for node in model.graph.node if node.input and node.op_type not in SHORES)
    return [node.name for node in nodes if back.issuperset(node.input[:2])]


def check_products(model: onnx.ModelProto, left_out: Sequence[str]) -> None:
    """Refuse a graph that is called quantised and multiplies in other types.

    left_out: regular expressions of the nodes that were not to be quantised.

    Raises:
        GraphError: with the share of products that is quantised.
    """
    able = {
        node.name
        for node in model.graph.node
        if node.op_type in PRODUCTS and not any(re.match(pattern, node.name) for pattern in left_out)
    }
    done = able.intersection(quantised_nodes(model))
    if not done or len(done) < LEAST_SHARE * len(able):
        raise GraphError(
            "too few products are quantised",
            expected=f"at least {LEAST_SHARE:.0%} of {len(able)} nodes of {', '.join(PRODUCTS)}",
            got=len(done),
            cure="precision.data_max keeps products fp32 whose values exceed it; or name precision.float_nodes",
        )


def check_float(model: onnx.ModelProto, patterns: Sequence[str]) -> None:
    """Refuse a graph in which a node that was not to be quantised is, and a pattern that matches no node.

    Raises:
        GraphError: naming the nodes, or the pattern.
    """
    quantised = quantised_nodes(model)
    for pattern in patterns:
        if not any(re.match(pattern, node.name) for node in model.graph.node):
            raise GraphError("precision.float_nodes matches no node", expected="names of nodes", got=pattern)
        if broken := [name for name in quantised if re.match(pattern, name)]:
            raise GraphError("nodes of precision.float_nodes are quantised", expected=pattern, got=broken[:10])


def check_ranges(model: onnx.ModelProto) -> None:
    """Refuse a quantised fp32 graph with an activation of which calibration saw only zeros.

    ONNX Runtime then takes 1 for the scale, and ModelOpt turns that of int8 into that of fp8.

    Raises:
        GraphError: naming the tensors.
    """
    stored, blind = _stored(model), {1.0, float(np.float32(448.0) / np.float32(127.0))}
    zeros = [node.input[0] for node, scale in _scales(model) if node.input[0] not in stored and {*scale.flat} <= blind]
    if zeros:
        raise GraphError(
            "calibration saw only zeros",
            expected="activations that vary on the reference's samples",
            got=zeros[:10],
            cure="calibrate on more samples (precision.samples) or other images, or name precision.float_nodes",
        )


def check_scales(model: onnx.ModelProto) -> None:
    """Refuse a scale that no range can have led to: not stored, not finite, or not above 0.

    One that is too small for its type is zero, and everything that it divides becomes infinite.

    Raises:
        GraphError: naming the tensors.
    """
    bad = {node.input[0]: scale.flat[0] for node, scale in _scales(model) if not _sound(scale)}
    if bad:
        raise GraphError(
            "a quantised tensor has no usable scale",
            expected="scales above 0, finite",
            got=dict(list(bad.items())[:10]),
            cure="name the nodes in precision.float_nodes, or calibrate on more samples: precision.samples",
        )


def _scales(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, NDArray[Any]]]:
    """Yield each QuantizeLinear of the main graph with its scale as float64, NaN where it is not stored."""
    stored = _stored(model)
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            found = stored.get(node.input[1])
            scale = np.array([np.nan]) if found is None else np.atleast_1d(numpy_helper.to_array(found))
            yield node, scale.astype(np.float64)


def _stored(model: onnx.ModelProto) -> Mapping[str, onnx.TensorProto]:
    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    found = {node.output[0]: node.attribute[0].t for node in constants if node.attribute[0].name == "value"}
    return found | {tensor.name: tensor for tensor in model.graph.initializer}


def _sound(scale: NDArray[Any]) -> bool:
    return bool(np.all(np.isfinite(scale)) and np.all(scale > 0))
