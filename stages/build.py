"""Build the engine of the typed graph, prove it where a GPU can run it, and record what it is.

An engine goes on without having been executed where this machine cannot: its record then says how far it is proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json, write_bytes, write_json
from enginewright.config.models import ModelConfig
from enginewright.config.sections import BuildConfig, CompareConfig
from enginewright.contract import Port
from enginewright.engine.bindings import Binding
from enginewright.engine.build import Built, build_engine
from enginewright.engine.execute import prove
from enginewright.engine.host import host_facts
from enginewright.engine.job import Job
from enginewright.engine.layer_types import check_layer_types, check_tf32
from enginewright.engine.proof import refuse_breach, status_of, verdict_of
from enginewright.engine.record import Record, record_of, write_record
from enginewright.graphs.files import read_graph
from enginewright.graphs.types import reduced_types
from enginewright.reference import Arrays, Reference, load_reference
from enginewright.stage import Stage, enter
from enginewright.verdicts import Verdict

SECTIONS = ("model", "compare", "build")


@dataclass(frozen=True)
class Result:
    """An engine, its record, and the metrics of build.json."""

    engine: bytes
    record: Record
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Options:
    """The configuration of a build: `model.ranges` (axis name to [min, max]), and the two sections."""

    ranges: Mapping[str, Sequence[int]]
    compare: CompareConfig
    build: BuildConfig


def run(options: Options, typed: Path, compare: Mapping[str, Any], reference: Reference) -> Result:
    """Return the engine of the ONNX file `typed`, whose comparison with the reference found `compare`.

    Raises:
        BuildError: if the graph breached a strict gate, the builder makes no engine, or the engine was executed
            and breached a strict gate, or the engine computes in other types than the graph.
        GraphError, ConfigError, RequirementError: see `build_engine`.
    """
    graph_verdict = verdict_of(compare)
    refuse_breach("the typed graph", graph_verdict, options.compare.gate)
    built = build_engine(typed, _job(options, reference))
    check_layer_types(built.layer_types, reduced_types(read_graph(typed)))
    check_tf32(built.options, bool(options.build.tf32))
    record = record_of(built, options.build.builder, typed.read_bytes())
    verdict = prove(built.engine, record, reference, options.compare)
    refuse_breach("the engine", verdict, options.compare.gate)
    return Result(built.engine, record.with_status(*status_of(graph_verdict, verdict)), _metrics(built, verdict))


def _job(options: Options, reference: Reference) -> Job:
    inputs = _bindings(reference.contract.inputs, reference.inputs)
    outputs = _bindings(reference.contract.outputs, reference.outputs)
    return Job(options.build, inputs, outputs, options.ranges)


def _bindings(ports: Sequence[Port], arrays: Arrays) -> tuple[Binding, ...]:
    """Return the ports with the shapes that one sample of the reference has."""
    return tuple(Binding(port.name, port.dtype, arrays[port.name].shape[1:]) for port in ports)


def _metrics(built: Built, verdict: Verdict) -> dict[str, Any]:
    metrics: dict[str, Any] = verdict.as_metrics() | {
        "engine_mb": round(len(built.engine) / 1e6, 3),
        "layers": built.layers,
        "seconds": built.seconds,
        "peak_mb": built.peak_mb,
        "host": host_facts(),
    }
    if built.timing_cache_sha256 is not None:
        metrics["timing_cache_sha256"] = built.timing_cache_sha256
    return metrics


def main(stage: Stage) -> None:
    """Build, then write engine, record and metrics."""
    options = Options(stage.section(ModelConfig).ranges, stage.section(CompareConfig), stage.section(BuildConfig))
    compare, reference = read_json(stage.inputs["compare"]), load_reference(stage.inputs["reference"])
    result = run(options, stage.inputs["typed"], compare, reference)
    write_bytes(stage.outputs["engine"], result.engine)
    write_record(stage.outputs["record"], result.record)
    write_json(stage.outputs["metrics"], result.metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
