"""Brings an ONNX model to the opset, the shapes and the LayerNorm form that were asked for."""

from __future__ import annotations

from collections.abc import Callable

import onnx
from onnx import version_converter

from enginewright.adopting.inputs import tensor_inputs
from enginewright.config.choices import Form
from enginewright.contract import Contract, Port
from enginewright.errors import GraphError
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.layernorm import forms_of
from enginewright.graphs.layernorm_forms import (
    Rewrite,
    decompose_layernorms,
    decomposed_layernorms,
    fuse_layernorms,
    scale_layernorms,
)
from enginewright.graphs.walk import opset_of

_MOST_TEXT = 300
_REWRITE: dict[Form, Callable[[onnx.ModelProto], Rewrite]] = {
    Form.native: fuse_layernorms,
    Form.decomposed: decompose_layernorms,
    Form.island: decompose_layernorms,
    Form.scaled: scale_layernorms,
}


def prepared(model: onnx.ModelProto, contract: Contract, opset: int, form: Form, dynamic: bool) -> Rewrite:
    """Return the model at `opset`, with the contract's shapes, every LayerNorm in `form`, and no notes.

    dynamic: whether the axes that the contract's ports leave open stay open, under the contract's names.

    Raises:
        GraphError: if ONNX cannot convert it to that opset, or the opset cannot say the form.
    """
    converted = at_opset(model, opset)
    _fix_inputs(converted)
    _set_shapes(converted, contract, dynamic)
    rewrite = _REWRITE[form](converted)
    rewrite.model.ir_version = max(rewrite.model.ir_version, _least_ir(rewrite.model))
    strip_notes(rewrite.model)
    return rewrite


def layernorms_in(model: onnx.ModelProto) -> int:
    """Return how many LayerNorms a model has, in any form; a decomposed one counts if it can be an operator."""
    found = forms_of(model)
    return found.operators + found.scaled + decomposed_layernorms(model)


def at_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return a copy of the model at `opset`.

    Raises:
        GraphError: if ONNX's converter has no way there.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if opset_of(model) == opset:
        return copy
    try:
        converted: onnx.ModelProto = version_converter.convert_version(copy, opset)
        onnx.checker.check_model(converted, full_check=True)
    except (RuntimeError, ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GraphError(
            f"ONNX cannot convert the file from opset {opset_of(model)} to {opset}",
            expected="operators with a way between the two opsets",
            got=" ".join(str(error).split())[:_MOST_TEXT],
            cure=f"export.opset={opset_of(model)}, the file's own, if it is 16 to 23; or export the network again",
        ) from error
    return converted


def _fix_inputs(model: onnx.ModelProto) -> None:
    """Take out inputs that have a stored default: they become the constants that they are by default."""
    kept = [value.name for value in tensor_inputs(model)]
    for value in [value for value in model.graph.input if value.name not in kept]:
        model.graph.input.remove(value)


def _set_shapes(model: onnx.ModelProto, contract: Contract, dynamic: bool) -> None:
    """Write the contract's shapes on inputs and outputs, and forget what was said of the values between."""
    ports = {port.name: port for port in contract.ports}
    for value in (*model.graph.input, *model.graph.output):
        _set_shape(value.type.tensor_type, ports[value.name], contract, dynamic)
    del model.graph.value_info[:]


def _set_shape(tensor: onnx.TypeProto.Tensor, port: Port, contract: Contract, dynamic: bool) -> None:
    tensor.ClearField("shape")
    tensor.shape.SetInParent()
    for axis in port.axes:
        if dynamic and axis in port.dynamic:
            tensor.shape.dim.add(dim_param=axis)
        else:
            tensor.shape.dim.add(dim_value=contract.sizes[axis])


def _least_ir(model: onnx.ModelProto) -> int:
    return int(onnx.helper.find_min_ir_version_for(list(model.opset_import), ignore_unknown=True))
