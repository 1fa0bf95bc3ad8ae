"""cast: the simplified graph as a strongly typed one, whose tensor types are the precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.casting.islands import check_islands, fp32_nodes, layernorm_islands
from enginewright.config.choices import Form, Precision
from enginewright.config.sections import CastConfig, SwapConfig
from enginewright.errors import GraphError
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import check_kept
from enginewright.graphs.types import reduced_type
from enginewright.graphs.walk import count_ops
from enginewright.progress import progress
from enginewright.reference import Reference, load_reference
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    import onnx

SECTIONS = ("cast", "swap")
_REDUCED = {Precision.fp32: None, Precision.fp16: "float16"}


def run(
    config: CastConfig, simplified: Path, reference: Reference, form: Form = Form.native
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Return the typed graph and the metrics of cast.json.

    form: that of LayerNorm. With `island` the nodes of each are added to those that stay fp32.

    Raises:
        GraphError: if the graph is not of the precision asked for, or its inputs, outputs, LayerNorm form or
            fp32 nodes were changed on the way.
    """
    before = load_graph(simplified)
    if form is Form.island:
        islands = layernorm_islands(before, reference.contract.layernorms)
        config = replace(config, fp32_nodes=[*config.fp32_nodes, *islands])
    after = _cast(config, simplified, reference) if config.precision is not Precision.fp32 else before
    strip_notes(after)
    _check(config.precision, before, after)
    forms = check_kept(before, after, "ModelOpt AutoCast", "layernorm=native, or precision=fp32")
    check_islands(after, (*reference.contract.fp32_nodes, *config.fp32_nodes))
    metrics = {
        "precision": config.precision.name,
        "casts": count_ops(after)["Cast"],
        "fp32_nodes": fp32_nodes(after),
        **forms.metrics(),
    }
    return after, metrics


def _cast(config: CastConfig, simplified: Path, reference: Reference) -> onnx.ModelProto:
    from enginewright.casting.fp16 import cast_fp16

    return cast_fp16(simplified, config, reference)


def _check(precision: Precision, before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    if reduced_type(after) != _REDUCED[precision]:
        raise GraphError(
            f"the graph is not {precision.name}",
            expected=_REDUCED[precision] or "float32 only",
            got=reduced_type(after) or "float32 only",
            cure="see precision.data_max, precision.init_max and precision.fp32_nodes",
        )
    if io_types(before) != io_types(after):
        raise GraphError("the cast changed inputs or outputs", expected=io_types(before), got=io_types(after))


def main(stage: Stage) -> None:
    """Cast, then write the typed graph and its metrics."""
    with progress(f"cast {stage.network}"):
        graph, metrics = run(
            stage.section(CastConfig),
            stage.inputs["simplified"],
            load_reference(stage.inputs["reference"]),
            stage.section(SwapConfig).form,
        )
    save_graph(stage.outputs["typed"], graph)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
