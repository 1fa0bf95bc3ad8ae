"""cast: the simplified graph as a strongly typed one, whose tensor types are the precision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.casting.islands import check_islands, fp32_nodes
from enginewright.config.choices import Precision
from enginewright.config.sections import CastConfig
from enginewright.errors import GraphError
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.types import reduced_type
from enginewright.graphs.walk import count_ops
from enginewright.preflight.report import IN_FP32, refuse_pending
from enginewright.progress import progress
from enginewright.reference import Reference, load_reference
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    import onnx

SECTIONS = ("cast",)
_REDUCED = {Precision.fp32: None, Precision.fp16: "float16"}


def run(config: CastConfig, simplified: Path, reference: Reference) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Return the typed graph and the metrics of cast.json.

    Raises:
        GraphError: if the graph is not of the precision asked for, or its inputs, outputs, LayerNorm form or
            fp32 nodes were changed on the way.
    """
    before = load_graph(simplified)
    after = _cast(config, simplified, reference) if config.precision is not Precision.fp32 else before
    strip_notes(after)
    islands = (*reference.contract.fp32_nodes, *config.fp32_nodes)
    _check(config.precision, before, after)
    check_islands(after, islands)
    metrics = {
        "precision": config.precision.name,
        "casts": count_ops(after)["Cast"],
        "fp32_nodes": fp32_nodes(after),
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
    if layernorm_ops(before) != layernorm_ops(after):
        raise GraphError(
            "ModelOpt AutoCast changed the LayerNorm form",
            expected=f"{layernorm_ops(before)} LayerNormalization operators",
            got=layernorm_ops(after),
            cure="layernorm=native, or precision=fp32",
        )


def main(stage: Stage) -> None:
    """Cast, then write the typed graph and its metrics; refuse what builds in fp16 alone if the graph stays fp32."""
    config = stage.section(CastConfig)
    if config.precision is Precision.fp32:
        refuse_pending(stage.inputs.get("preflight"), IN_FP32, f"the graph of {stage.network}")
    with progress(f"cast {stage.network}"):
        graph, metrics = run(config, stage.inputs["simplified"], load_reference(stage.inputs["reference"]))
    save_graph(stage.outputs["typed"], graph)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
