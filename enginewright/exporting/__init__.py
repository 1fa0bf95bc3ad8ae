"""From a torch module to an ONNX model: one file each exporter, and what both need afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from enginewright.config.choices import Exporter

if TYPE_CHECKING:
    import onnx
    from torch import nn

    from enginewright.exporting.request import ExportRequest

    Export = Callable[[nn.Module, ExportRequest], onnx.ModelProto]


def exporter(choice: Exporter) -> Export:
    """Return the function of an exporter; only its own file is imported."""
    if choice is Exporter.dynamo:
        from enginewright.exporting.dynamo import export_dynamo

        return export_dynamo
    from enginewright.exporting.torchscript import export_torchscript

    return export_torchscript


def packages(choice: Exporter) -> tuple[str, ...]:
    """Return the packages that an exporter imports and that take long."""
    dynamo = ("torch._dynamo", "torch.export", "onnxscript.function_libs.torch_lib.ops")
    return ("torch", "onnx", *(dynamo if choice is Exporter.dynamo else ("torch.onnx",)))
