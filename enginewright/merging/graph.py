"""Joins an extractor's graph, the normalisation of keypoints, and a matcher's graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from enginewright.contract import Contract, Port
from enginewright.errors import GraphError
from enginewright.graphs.modules import keep_modules, kept_modules
from enginewright.graphs.walk import opset_of
from enginewright.merging.contract import EXTRACTOR, MATCHER, NORMALISE


def merged_graph(extractor: onnx.ModelProto, matcher: onnx.ModelProto, contract: Contract) -> onnx.ModelProto:
    """Return one graph from `image` to `keypoints`, `valid`, `matches`, `mscores`, as `merged_contract` describes it.

    Slots without a keypoint have a zero descriptor in the extractor's output, and the matcher masks those.

    Raises:
        GraphError: if the two have different opsets, or the result is no valid graph.
    """
    _check_opsets(extractor, matcher)
    first = onnx.compose.add_prefix(extractor, EXTRACTOR, rename_inputs=False, rename_outputs=False)
    last = onnx.compose.add_prefix(matcher, MATCHER, rename_outputs=False)
    nodes, constants = _normalisation(contract)
    graph = helper.make_graph(
        [*first.graph.node, *nodes, *last.graph.node],
        "merged",
        _values(contract.inputs, contract),
        _values(contract.outputs, contract),
        [*first.graph.initializer, *constants, *last.graph.initializer],
    )
    merged = helper.make_model(
        graph, opset_imports=_imports(first, last), ir_version=max(first.ir_version, last.ir_version)
    )
    merged.functions.extend([*first.functions, *last.functions])
    keep_modules(merged, _modules(extractor, EXTRACTOR) | _modules(matcher, MATCHER))
    return _checked(merged)


def _modules(part: onnx.ModelProto, prefix: str) -> dict[str, str]:
    """Return the module paths of a part, under its nodes' names in the merged graph."""
    return {f"{prefix}{name}": f"{prefix}{path}" for name, path in kept_modules(part).items()}


def _check_opsets(extractor: onnx.ModelProto, matcher: onnx.ModelProto) -> None:
    if opset_of(extractor) != opset_of(matcher):
        raise GraphError(
            "extractor and matcher have different opsets",
            expected=f"opset {opset_of(extractor)} for both",
            got=f"opset {opset_of(matcher)}",
            cure="export both with the same export.opset",
        )


def _imports(*models: onnx.ModelProto) -> list[onnx.OperatorSetIdProto]:
    versions = {item.domain: item.version for model in models for item in model.opset_import}
    return [helper.make_opsetid(domain, version) for domain, version in sorted(versions.items())]


def _values(ports: Sequence[Port], contract: Contract) -> list[onnx.ValueInfoProto]:
    """Return inputs or outputs as the contract has them: static, whatever the parts left open."""
    types = {port.name: helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype)) for port in ports}
    return [helper.make_tensor_value_info(port.name, types[port.name], contract.shape(port)) for port in ports]


def _normalisation(contract: Contract) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return nodes and constants that place keypoints about the centre, in halves of the image's longer side.

    The same operations in the same order as `normalise_keypoints`, so that both give the same numbers.
    """
    half = np.array([contract.sizes["width"], contract.sizes["height"]], np.float32) / np.float32(2)
    values = {"half": half, "longer": np.asarray(half.max())}
    nodes = [
        _node("Sub", "centred", ["keypoints", f"{NORMALISE}half"], f"{NORMALISE}centred"),
        _node("Div", "placed", [f"{NORMALISE}centred", f"{NORMALISE}longer"], f"{MATCHER}keypoints"),
        helper.make_node("Identity", ["descriptors"], [f"{MATCHER}descriptors"], name=f"{MATCHER}descriptors"),
    ]
    return nodes, [numpy_helper.from_array(value, f"{NORMALISE}{name}") for name, value in values.items()]


def _node(operator: str, name: str, inputs: Sequence[str], output: str) -> NodeProto:
    return helper.make_node(operator, inputs, [output], name=NORMALISE + name)


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GraphError(f"extractor and matcher do not make a valid graph: {str(error).splitlines()[0]}") from error
    return model
