"""export: the swapped module as an ONNX graph, with what was asked for checked on what came out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import networks
from enginewright.artifacts import write_json
from enginewright.config.choices import Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import ExportConfig, SwapConfig
from enginewright.contract import Contract
from enginewright.contract.shapes import opened
from enginewright.errors import GraphError
from enginewright.exporting import packages
from enginewright.graphs.clean import name_axes, strip_notes
from enginewright.graphs.files import save_graph
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import check_form
from enginewright.graphs.metrics import export_metrics
from enginewright.graphs.modules import keep_modules, module_paths
from enginewright.graphs.walk import opset_of
from enginewright.progress import progress
from enginewright.stage import Stage, enter
from enginewright.weights.store import load_checkpoint

if TYPE_CHECKING:
    import onnx

SECTIONS = ("model", "swap", "export")


def run(model: ModelConfig, form: Form, config: ExportConfig, checkpoint: Path) -> onnx.ModelProto:
    """Return the network with these weights and this LayerNorm form as an ONNX model.

    Raises:
        GraphError: if opset, inputs, outputs, open axes or LayerNorm form are not what was asked for.
        NetworkError: if the adapter or its module fails.
    """
    from enginewright.exporting.request import ExportRequest
    from enginewright.exporting.swapped import export_swapped

    adapter = networks.load(model.adapter)
    contract = opened(adapter.contract(model), model.ranges)
    module = adapter.module(model).eval()
    load_checkpoint(checkpoint, module)
    module = adapter.exported(module, model, config)
    request = ExportRequest(contract, config.opset, config.dynamic)
    graph, calls = export_swapped(module, form, request, config.exporter)
    modules = module_paths(graph)
    strip_notes(graph)
    keep_modules(graph, modules)
    if config.dynamic:
        name_axes(graph, contract)
    _check(graph, contract, config)
    check_form(graph, form, calls, f"the {config.exporter.name} exporter at opset {config.opset}")
    return graph


def _check(graph: onnx.ModelProto, contract: Contract, config: ExportConfig) -> None:
    if opset_of(graph) != config.opset:
        raise GraphError(
            f"the {config.exporter.name} exporter did not write the opset that was asked for",
            expected=f"opset {config.opset}",
            got=f"opset {opset_of(graph)}",
            cure=f"export.opset={opset_of(graph)}, or export=torchscript",
        )
    check_io(graph, contract, config.dynamic)


def main(stage: Stage) -> None:
    """Export, then write the graph and its metrics."""
    start = time.monotonic()
    with progress(f"export {stage.network}"):
        graph = run(
            stage.section(ModelConfig),
            stage.section(SwapConfig).form,
            stage.section(ExportConfig),
            stage.inputs["checkpoint"],
        )
    save_graph(stage.outputs["exported"], graph)
    write_json(stage.outputs["metrics"], export_metrics(graph, time.monotonic() - start))


if __name__ == "__main__":
    enter(main, SECTIONS, heavy=lambda stage: packages(stage.section(ExportConfig).exporter))
