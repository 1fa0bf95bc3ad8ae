"""Joins an extractor's graph, the normalisation of keypoints, and a matcher's graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from enginewright.contract import Contract
from enginewright.errors import GraphError
from enginewright.graphs.clean import name_axes
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
    nodes, constants = _normalisation(contract, is_open=_open_sides(extractor))
    graph = helper.make_graph(
        [*first.graph.node, *nodes, *last.graph.node],
        "merged",
        list(first.graph.input),
        _outputs(contract, (*first.graph.output, *last.graph.output)),
        [*first.graph.initializer, *constants, *last.graph.initializer],
    )
    merged = helper.make_model(
        graph, opset_imports=_imports(first, last), ir_version=max(first.ir_version, last.ir_version)
    )
    merged.functions.extend([*first.functions, *last.functions])
    name_axes(merged, contract)
    return _checked(merged)


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


def _open_sides(extractor: onnx.ModelProto) -> bool:
    """Return whether height or width of the image is open."""
    return any(not size.HasField("dim_value") for size in extractor.graph.input[0].type.tensor_type.shape.dim[2:])


def _outputs(contract: Contract, values: Sequence[onnx.ValueInfoProto]) -> list[onnx.ValueInfoProto]:
    """Return the outputs of the contract, in its order, with the axes that the parts left open still open."""
    found = {value.name: value for value in values}
    outputs = []
    for port in contract.outputs:
        value = onnx.ValueInfoProto()
        value.CopyFrom(found[port.name])
        for size in value.type.tensor_type.shape.dim:
            size.ClearField("dim_param")  # both parts call an axis `batch`, and mean images and pairs
        outputs.append(value)
    return outputs


def _normalisation(contract: Contract, *, is_open: bool) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return nodes and constants that place keypoints about the centre, in halves of the image's longer side.

    The same operations in the same order as `normalise_keypoints`, so that both give the same numbers.
    """
    rows = list(_half_of_open_sides() if is_open else ())
    constants = [] if is_open else [_constant("half", [contract.sizes["width"] / 2, contract.sizes["height"] / 2])]
    if is_open:
        constants = [_constant("start", [2], np.int64), _constant("end", [4], np.int64), _constant("two", [2.0])]
        constants.append(_constant("turn", [1, 0], np.int64))
    rows += [
        ("Sub", ("keypoints", _n("half")), _n("centred")),
        ("ReduceMax", (_n("half"),), _n("longer")),
        ("Div", (_n("centred"), _n("longer")), f"{MATCHER}keypoints"),
        ("Identity", ("descriptors",), f"{MATCHER}descriptors"),
    ]
    return [_node(*row) for row in rows], constants


_Row = tuple[str, tuple[str, ...], str]


def _half_of_open_sides() -> Iterable[_Row]:
    """Yield the rows that make half of width and height of the image's shape."""
    yield "Shape", ("image",), _n("shape")
    yield "Slice", (_n("shape"), _n("start"), _n("end")), _n("sides")
    yield "Gather", (_n("sides"), _n("turn")), _n("size")
    yield "Cast", (_n("size"),), _n("real")
    yield "Div", (_n("real"), _n("two")), _n("half")


def _n(name: str) -> str:
    return NORMALISE + name


def _node(operator: str, inputs: tuple[str, ...], output: str) -> NodeProto:
    name = _n("placed") if operator == "Div" and output.startswith(MATCHER) else output
    node = helper.make_node(operator, inputs, [output], name=name)
    if operator == "Cast":
        node.attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
    return node


def _constant(name: str, values: Sequence[float], dtype: type = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), _n(name))


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GraphError(f"extractor and matcher do not make a valid graph: {str(error).splitlines()[0]}") from error
    return model
