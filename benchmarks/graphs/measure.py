"""What a graph is and does: its size, what it keeps of the original's results, its time on a CPU, its engine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import onnx

from benchmarks.engine_job import job_of
from benchmarks.graphs.contestants import Contestant
from benchmarks.latency.keypoints_kept import KeypointsKept
from benchmarks.latency.rounds import in_turns, summary
from enginewright.engine.build import build_engine
from enginewright.engine.job import Job
from enginewright.errors import EnginewrightError
from enginewright.gpu.kept import Kept
from enginewright.gpu.session import Session
from enginewright.graphs.files import load_graph
from enginewright.graphs.provider import CPU
from enginewright.graphs.walk import count_ops
from enginewright.reference import Arrays, Reference, load_reference
from enginewright.stage.chain import configured, needed


def measured(graphs: Sequence[Contestant], rounds: int) -> list[dict[str, Any]]:
    """Return a row for each graph of one network; their times are taken in turns, in each round once."""
    network = graphs[0].network
    reference = load_reference(needed(network, "reference.npz"))
    sessions = {graph.name: Session(graph.path, CPU) for graph in graphs}
    rows = [_size(graph) | {"kept": _kept(sessions[graph.name], reference)} for graph in graphs]
    inputs = next(reference.samples())[1]
    times = in_turns(list(sessions), rounds, lambda name: [_milliseconds(sessions[name], inputs)])
    job = job_of(configured(network, []).build, reference.contract, {})
    for row, graph in zip(rows, graphs, strict=True):
        row |= {"ms": summary(times[graph.name]), "engine": _engine(graph, job)}
    return rows


def _milliseconds(session: Session, inputs: Arrays) -> float:
    start = time.perf_counter()
    session.run(inputs)
    return (time.perf_counter() - start) * 1e3


def _size(graph: Contestant) -> dict[str, Any]:
    model = load_graph(graph.path)
    return {
        "name": graph.name,
        "network": graph.network,
        "ours": graph.ours,
        "nodes": count_ops(model).total(),
        "initializer_bytes": sum(_bytes(tensor) for tensor in model.graph.initializer),
        "bytes": graph.path.stat().st_size,
    }


def _bytes(tensor: onnx.TensorProto) -> int:
    return int(onnx.numpy_helper.to_array(tensor).nbytes)


def _kept(session: Session, reference: Reference) -> dict[str, Any]:
    """Return how many of the original's matches, or keypoints, the graph has too."""
    kept = Kept() if "matches" in reference.outputs else KeypointsKept()
    for _, inputs, expected in reference.samples():
        kept.add(expected, session.run(inputs))
    return {"original": kept.original, "common": kept.common}


def _engine(graph: Contestant, job: Job) -> dict[str, Any]:
    """Return layers and size of the engine that the configured builder makes of the graph, or why it makes none."""
    try:
        built = build_engine(graph.path, job)
    except EnginewrightError as error:
        return {"reason": str(error).splitlines()[0]}
    return {"layers": built.layers, "bytes": len(built.engine), "seconds": built.seconds}
