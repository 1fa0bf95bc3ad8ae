"""torch's tracing exporter: opset 16 to 23, the larger graphs."""

from __future__ import annotations

import io
import warnings
from typing import Any, cast

import onnx
import torch
from torch import nn

from enginewright.errors import GraphError
from enginewright.exporting.request import ExportRequest


def export_torchscript(module: nn.Module, request: ExportRequest) -> onnx.ModelProto:
    """Return the module as the TorchScript exporter writes it; both folded constants and names are deterministic.

    Raises:
        GraphError: if the opset has no way to say an operator of the module.
    """
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # deprecated, and traces shapes: both are known and checked afterwards
            torch.onnx.export(
                module,
                request.example_inputs(),
                cast("Any", buffer),  # it takes a binary file too, though its signature names paths only
                dynamo=False,
                opset_version=request.opset,
                input_names=request.input_names,
                output_names=request.output_names,
                dynamic_axes=_dynamic_axes(request),
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise GraphError(
            f"the torchscript exporter could not write the graph: {str(error).splitlines()[0]}",
            expected="a module of operators that it knows",
            cure="a later export.opset, or export=dynamo",
        ) from error
    return onnx.load_model_from_string(buffer.getvalue())


def _dynamic_axes(request: ExportRequest) -> dict[str, dict[int, str]] | None:
    if not request.dynamic:
        return None
    return {
        port.name: {index: axis for index, axis in enumerate(port.axes) if axis in port.dynamic}
        for port in request.contract.ports
    }
