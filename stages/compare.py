"""compare: every graph against the original network's outputs on real data, at every corner of its open axes.

An fp32 graph is judged on a CPU. A graph of reduced precision is judged on a GPU or not at all: ONNX Runtime computes
it with fp32 kernels on a CPU, which proves nothing. Everywhere it is rehearsed, which can refute it: are the values of
every reduced tensor in its type's range, and what comes out if every result is rounded to its type?
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes, write_json
from enginewright.comparing.compare import Comparison, compare_graphs
from enginewright.comparing.curves import curves_json
from enginewright.config.choices import Gate
from enginewright.config.sections import CompareConfig
from enginewright.errors import CompareError, ConfigError
from enginewright.graphs.files import load_graph
from enginewright.graphs.modules import kept_modules
from enginewright.graphs.provider import no_proof, provider_for
from enginewright.graphs.types import reduced_precision
from enginewright.progress import progress
from enginewright.reference import Reference, load_reference
from enginewright.rehearsing.rehearsal import REHEARSED, Rehearsal, rehearse
from enginewright.stage import Stage, enter
from enginewright.verdicts import State, Verdict, not_run, worst

SECTIONS = ("compare",)
_GRAPHS = ("exported", "simplified", "typed")


def run(
    config: CompareConfig, reference: Reference, graphs: Mapping[str, Path]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the metrics of compare.json, the points of the error curves, and the ranges of all reduced tensors.

    Raises:
        ConfigError: if `compare.outputs` names an output that the network does not have.
    """
    names = [port.name for port in reference.contract.outputs]
    if unknown := sorted(set(config.outputs) - set(names)):
        raise ConfigError(
            "compare.outputs names no output of this network",
            expected=names,
            got=unknown,
            cure="set it for the network that has it: networks.NAME.compare.outputs",
        )
    verdicts: dict[str, Verdict] = {}
    found: dict[str, Comparison] = {}
    for provider, chosen in _by_provider(graphs, verdicts).items():
        found |= compare_graphs(chosen, reference, config, provider)
    verdicts |= {artifact: comparison.verdict(artifact, config) for artifact, comparison in found.items()}
    metrics: dict[str, Any] = {artifact: comparison.metrics() for artifact, comparison in found.items()}
    rehearsal = _rehearsal(config, reference, graphs)
    if rehearsal:
        metrics |= rehearsal.metrics()
        verdicts |= rehearsal.verdicts(config)
        found[REHEARSED] = rehearsal.comparison
    metrics["verdicts"] = {artifact: verdict.state.value for artifact, verdict in verdicts.items()}
    curves = [row for artifact, comparison in found.items() for row in comparison.curve_rows(artifact)]
    return metrics | worst(verdicts.values()).as_metrics(), curves, rehearsal.rows() if rehearsal else []


def _rehearsal(config: CompareConfig, reference: Reference, graphs: Mapping[str, Path]) -> Rehearsal | None:
    """Return the rehearsal of the typed graph, if it computes in a reduced type."""
    if "typed" not in graphs or reduced_precision(graphs["typed"]) is None:
        return None
    return rehearse(graphs["typed"], kept_modules(load_graph(graphs["exported"])), reference, config)


def _by_provider(graphs: Mapping[str, Path], verdicts: dict[str, Verdict]) -> dict[str, dict[str, Path]]:
    """Return the graphs to run on each provider; those that no provider here can judge get their verdict."""
    chosen: dict[str, dict[str, Path]] = {}
    for artifact, path in graphs.items():
        reduced = reduced_precision(path)
        provider = provider_for(reduced)
        if provider is None:
            verdicts[artifact] = not_run(f"{artifact}: {no_proof(str(reduced))}")
        else:
            chosen.setdefault(provider, {})[artifact] = path
    return chosen


def main(stage: Stage) -> None:
    """Compare, write what was found, then stop the build if the gate is strict and breached."""
    config = stage.section(CompareConfig)
    reference = load_reference(stage.inputs["reference"])
    graphs = {artifact: stage.inputs[artifact] for artifact in _GRAPHS}
    count = sum(len(shape) for shape in reference.shapes)
    with progress(f"compare {stage.network}: {count} samples, {len(graphs)} graphs"):
        metrics, curves, ranges = run(config, reference, graphs)
    write_json(stage.outputs["metrics"], metrics)
    write_bytes(stage.outputs["ranges"], curves_json(ranges))
    write_bytes(stage.outputs["curves"], curves_json(curves))
    if config.gate is Gate.strict and metrics["verdict"] == State.failed.value:
        raise CompareError(
            f"{stage.network} does not agree with the original network",
            expected="every error within the tolerances of conf/compare",
            got=metrics["reason"],
            cure="mend the graph, widen the tolerance, or record the breach only: compare=report",
        )


if __name__ == "__main__":
    enter(main, SECTIONS)
