"""torch's exporter on top of torch.export: opset 17 to 23, the smaller graphs."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import onnx
import torch
from torch import nn

from enginewright.errors import GraphError
from enginewright.exporting.older import OLDEST, to_17
from enginewright.exporting.request import ExportRequest


def export_dynamo(module: nn.Module, request: ExportRequest) -> onnx.ModelProto:
    """Return the module as the dynamo exporter writes it, as one model without external data.

    Raises:
        GraphError: if torch.export cannot capture the module.
    """
    for name in ("torch.onnx", "onnxscript"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                request.example_inputs(),
                dynamo=True,
                opset_version=max(request.opset, OLDEST),
                input_names=request.input_names,
                output_names=request.output_names,
                dynamic_shapes=_dynamic_shapes(request),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip()  # the error itself is a page on how to report a bug of torch
        raise GraphError(
            f"the dynamo exporter could not write the graph: {reason.splitlines()[0]}",
            expected="a module that torch.export captures",
            cure="export=torchscript",
        ) from error
    assert program is not None  # noqa: S101 - with dynamo=True a program is always returned
    model: onnx.ModelProto = program.model_proto
    return to_17(model) if request.opset == OLDEST - 1 else model


def _dynamic_shapes(request: ExportRequest) -> tuple[dict[int, Any], ...] | None:
    """Return one {axis: dimension} for each input. AUTO lets torch.export find relations such as multiples of 16."""
    if not request.dynamic:
        return None
    return tuple(
        {index: torch.export.Dim.AUTO for index, axis in enumerate(port.axes) if axis in port.dynamic}
        for port in request.contract.inputs
    )
