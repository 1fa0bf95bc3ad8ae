"""simplify: the exported graph through onnxsim; which of the two goes on is configured and written down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.config.choices import Keep, Simplifier
from enginewright.config.sections import SimplifyConfig
from enginewright.errors import GraphError
from enginewright.graphs.clean import name_nodes, strip_notes
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import Forms, check_kept
from enginewright.graphs.walk import count_ops
from enginewright.preflight.report import UNSIMPLIFIED, refuse_pending
from enginewright.progress import progress
from enginewright.simplifying.onnxsim import simplified
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    import onnx

SECTIONS = ("simplify",)


def run(config: SimplifyConfig, exported: Path) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """Return the graph that goes on, and the metrics of simplify.json: node counts, which graph was kept,
    and its LayerNorms by form.

    Raises:
        GraphError: if onnxsim crashes, hangs or refuses its own result, or changed inputs, outputs or LayerNorm form.
    """
    before = load_graph(exported)
    after = before if config.tool is Simplifier.none else simplified(exported, config.timeout_s)
    counts = {"nodes_before": count_ops(before).total(), "nodes_after": count_ops(after).total()}
    better = counts["nodes_after"] < counts["nodes_before"] or config.keep is Keep.simplified
    kept = "simplified" if better and config.tool is not Simplifier.none else "exported"
    graph = after if kept == "simplified" else before
    strip_notes(graph)
    name_nodes(graph)
    return graph, counts | {"kept": kept} | _check(before, graph).metrics()


def _check(before: onnx.ModelProto, after: onnx.ModelProto) -> Forms:
    """Return the LayerNorms of the graph that goes on, by form."""
    wanted, found = io_types(before), io_types(after)
    if wanted != found:
        raise GraphError("onnxsim changed inputs or outputs", expected=wanted, got=found, cure="simplify=none")
    return check_kept(before, after, "onnxsim", "simplify=none")


def main(stage: Stage) -> None:
    """Simplify, then write the graph that goes on and its metrics; without a simplifier refuse what needs one."""
    config = stage.section(SimplifyConfig)
    if config.tool is Simplifier.none:
        refuse_pending(stage.inputs.get("preflight"), UNSIMPLIFIED, f"the graph of {stage.network}")
    with progress(f"simplify {stage.network}"):
        graph, metrics = run(config, stage.inputs["exported"])
    save_graph(stage.outputs["simplified"], graph)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
