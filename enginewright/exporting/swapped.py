"""A module with its LayerNorms in another form as an ONNX model, and how often those run."""

from __future__ import annotations

import onnx
from torch import nn

from enginewright.adapter_code import adapter_code, file_of, run_forward
from enginewright.config.choices import Exporter, Form
from enginewright.errors import EnginewrightError
from enginewright.exporting import exporter
from enginewright.exporting.calls import counted, layernorm_calls
from enginewright.exporting.request import ExportRequest
from networks.layernorm import layernorms, swap_layernorms


def export_swapped(
    module: nn.Module, form: Form, request: ExportRequest, choice: Exporter
) -> tuple[onnx.ModelProto, int]:
    """Swap the LayerNorms of `module` in place; return what the exporter writes, and how often they run in one pass.

    The TorchScript exporter runs the module while it traces, and they are counted there. The dynamo exporter may run it
    in parts or more than once: for it they are counted before.

    Raises:
        GraphError: if the exporter cannot write the graph.
        NetworkError: if the module fails, or has no such form.
    """
    names = layernorms(module)
    before = layernorm_calls(module, request.example_inputs()) if choice is Exporter.dynamo else None
    swap_layernorms(module, form)
    with counted(map(module.get_submodule, names)) as calls:
        graph = _exported(module, request, choice)
    return graph, len(calls) if before is None else before


def _exported(module: nn.Module, request: ExportRequest, choice: Exporter) -> onnx.ModelProto:
    """Return what the exporter writes; a module that fails without it too is told by its own error, which says more."""
    try:
        with adapter_code(file_of(module), f"exporting forward with {choice.name}"):
            return exporter(choice)(module, request)
    except EnginewrightError:
        run_forward(module, request.example_inputs())
        raise
