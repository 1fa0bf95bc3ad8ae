"""Executes an engine on the reference's inputs, where a GPU can, and judges its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from enginewright.config.sections import CompareConfig
from enginewright.contract.shapes import label
from enginewright.engine.gpu import find_gpu
from enginewright.engine.loader import deserialised, gpu_obstacle
from enginewright.engine.record import Record
from enginewright.errors import BuildError
from enginewright.progress import progress
from enginewright.reference import Arrays, Reference
from enginewright.verdicts import Verdict, not_run

ARTIFACT = "engine"


def prove(engine: bytes, record: Record, reference: Reference, config: CompareConfig) -> Verdict:
    """Return passed or failed after executing the engine on all samples at all shapes, or not_run with what is lacking.

    Raises:
        BuildError: if the engine does not deserialise or does not run on a GPU that it is meant for.
        RequirementError: where it cannot run and `REQUIRE_GPU=1` forbids that.
    """
    if (obstacle := gpu_obstacle(record, find_gpu())) is not None:
        return not_run(f"the engine was not executed: {obstacle}")
    return judged(executed(deserialised(engine, record), reference), reference, config)


def executed(engine: Any, reference: Reference) -> Iterator[Arrays]:
    """Yield the outputs of each sample at each shape, by tensor name."""
    from polygraphy.backend.trt import TrtRunner
    from polygraphy.exception import PolygraphyException

    where = ""
    try:
        total = sum(len(shape) for shape in reference.shapes)
        with progress("executing the engine", total, "samples") as tick, TrtRunner(engine) as runner:
            for done, (contract, inputs, _) in enumerate(reference.everywhere(), start=1):
                where = f" at {label(contract)}" if label(contract) else ""
                yield {name: np.array(value) for name, value in runner.infer(dict(inputs)).items()}
                tick(done)
    except PolygraphyException as error:
        raise BuildError(
            f"the engine does not run{where}: {error}", expected="an engine that runs on this GPU"
        ) from error


def judged(outputs: Iterator[Arrays], reference: Reference, config: CompareConfig) -> Verdict:
    """Return the verdict on the outputs of every sample, by the rules and tolerances that graphs are compared with."""
    from enginewright.comparing.compare import Comparison

    comparison = Comparison()
    for actual, (contract, _, expected) in zip(outputs, reference.everywhere(), strict=True):
        comparison.add(expected, actual, contract, config.align_px)
    return comparison.verdict(ARTIFACT, config)
