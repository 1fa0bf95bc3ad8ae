"""cast: the simplified graph as a strongly typed one, whose tensor types are the precision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.casting.islands import check_islands, count_types, fp32_nodes, layernorm_islands
from enginewright.casting.products import check_float, check_products, check_scales, quantised_nodes
from enginewright.config.choices import Form
from enginewright.config.quantised import OP_TYPES, reduced_types_of
from enginewright.config.sections import CastConfig, SwapConfig
from enginewright.errors import GraphError
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import Forms, check_kept
from enginewright.graphs.types import reduced_types
from enginewright.graphs.walk import count_ops, opset_of
from enginewright.preflight.report import IN_FP32, refuse_pending
from enginewright.progress import progress
from enginewright.reference import Reference, load_reference
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    import onnx

SECTIONS = ("cast", "swap")


def run(
    config: CastConfig, simplified: Path, reference: Reference, form: Form = Form.native
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Return the typed graph and the metrics of cast.json.

    form: that of LayerNorm. With `island` the nodes of each are added to those that stay fp32.

    Raises:
        GraphError: if the graph is not of the precision asked for, or its inputs, outputs, LayerNorm form or
            fp32 nodes were changed on the way.
        DataError: if the reference's samples cannot calibrate the cast.
    """
    before = load_graph(simplified)
    islands = [*reference.contract.fp32_nodes, *config.fp32_nodes]
    if form is Form.island:
        islands += layernorm_islands(before, reference.contract.layernorms)
    after = _cast(config, load_graph(simplified), reference, islands)
    strip_notes(after)
    _check(config, before, after)
    forms = check_kept(before, after, "ModelOpt", "layernorm=native, or precision=fp32")
    check_islands(after, islands)
    if config.precision in OP_TYPES:
        check_float(after, config.float_nodes)
        check_products(after, (*islands, *config.float_nodes))
        check_scales(after)
    return after, _metrics(config, after, forms)


def _cast(config: CastConfig, model: onnx.ModelProto, reference: Reference, islands: Sequence[str]) -> onnx.ModelProto:
    """Return the graph in another precision; islands: regular expressions of the node names that stay fp32."""
    if not reduced_types_of(config.precision, config.rest):
        return model
    if config.precision in OP_TYPES:
        from enginewright.casting.quantise import cast_quantised

        return cast_quantised(model, config, reference, islands)
    from enginewright.casting.autocast import cast_mixed

    return cast_mixed(model, config, reference, islands)


def _metrics(config: CastConfig, graph: onnx.ModelProto, forms: Forms) -> dict[str, Any]:
    return {
        "precision": config.precision.name,
        "opset": opset_of(graph),
        "casts": count_ops(graph)["Cast"],
        "fp32_nodes": fp32_nodes(graph),
        "quantized_nodes": len(quantised_nodes(graph)),
        "tensors": count_types(graph),
        **forms.metrics(),
    }


def _check(config: CastConfig, before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    wanted, found = reduced_types_of(config.precision, config.rest), reduced_types(after)
    if wanted != found:
        raise GraphError(
            f"the graph is not {config.precision.name}",
            expected=_told(wanted),
            got=_told(found),
            cure="see precision.data_max, precision.init_max and precision.fp32_nodes",
        )
    if io_types(before) != io_types(after):
        raise GraphError("the cast changed inputs or outputs", expected=io_types(before), got=io_types(after))


def _told(types: frozenset[str]) -> str:
    return ", ".join(sorted(types)) or "float32 only"


def main(stage: Stage) -> None:
    """Cast, then write the typed graph and its metrics; refuse what builds in fp16 alone if the graph stays fp32."""
    config = stage.section(CastConfig)
    if not reduced_types_of(config.precision, config.rest):
        refuse_pending(stage.inputs.get("preflight"), IN_FP32, f"the graph of {stage.network}")
    with progress(f"cast {stage.network}"):
        graph, metrics = run(
            config,
            stage.inputs["simplified"],
            load_reference(stage.inputs["reference"]),
            stage.section(SwapConfig).form,
        )
    save_graph(stage.outputs["typed"], graph)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
