"""The building process: `python -m enginewright.engine.worker`, in a folder that holds a job and a graph.

A process of its own, because an engine's bytes depend on what its process did before (see isolation.py). It may also
crash without taking its stage along.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from enginewright.artifacts import storing, write_json
from enginewright.engine import api, options
from enginewright.engine.bindings import check_bindings, inputs_of, outputs_of
from enginewright.engine.failure import reason_from
from enginewright.engine.isolation import Isolated, import_polygraphy, in_fresh_memory
from enginewright.engine.job import ENGINE, GRAPH, LOG, RESULT, TIMING_CACHE, Job, read_job, write_error
from enginewright.engine.layer_types import layer_types
from enginewright.engine.profile import Range, profile_of
from enginewright.engine.progress_monitor import step_monitor
from enginewright.errors import BuildError, EnginewrightError
from enginewright.lifeline import end_with_parent

_HERE = Path()


def build(job: Job, pipe: int) -> dict[str, Any]:
    """Write the engine of the job into the current folder and return what is known of it.

    Args:
        pipe: file descriptor that each finished step is reported to.

    Raises:
        BuildError: with the builder's own reason, if it makes no engine.
        GraphError: if the graph's inputs or outputs are not those of the contract.
        ConfigError: for options and ranges that do not fit.
    """
    trt = api.use(job.build.builder)
    import_polygraphy(job.build.builder)
    _quiet()
    start = time.monotonic()
    engine, facts = in_fresh_memory(lambda: _engine(job, trt, pipe))
    seconds = round(time.monotonic() - start, 3)
    (_HERE / ENGINE).write_bytes(engine)
    return facts | {"versions": _versions(trt, job), "seconds": seconds, "peak_mb": _peak_mb()}


def _engine(job: Job, trt: Any, pipe: int) -> tuple[Any, dict[str, Any]]:
    """Return the serialised engine and the facts about it."""
    parsed = _parsed()
    facts, ranges = _facts(parsed[1], job)
    more = {"profiles": options.profiles_of(ranges), "progress_monitor": step_monitor(trt, pipe)}
    seen: dict[str, Any] = {}
    engine = _built(parsed, options.create_config(job.build, trt, more | _cache(), seen), job)
    return engine, facts | {"options": seen}


def _quiet() -> None:
    """Let Polygraphy and the builder log errors only, into a file that a failure is explained from."""
    from polygraphy.logger import G_LOGGER

    G_LOGGER.module_severity = G_LOGGER.ERROR
    G_LOGGER.log_file = LOG


def _parsed() -> tuple[Any, Any, Any]:
    """Return builder, network and parser. From bytes, so that no path enters this process."""
    from polygraphy.backend.trt import NetworkFromOnnxBytes

    with _explained(
        "the builder cannot take the typed graph",
        "rewrite the node that is named, or choose another opset; if none is, the file is broken: dvc repro",
    ):
        parsed: tuple[Any, Any, Any] = NetworkFromOnnxBytes((_HERE / GRAPH).read_bytes(), strongly_typed=True)()
    return parsed


def _facts(network: Any, job: Job) -> tuple[dict[str, Any], dict[str, Range]]:
    inputs, outputs = inputs_of(network), outputs_of(network)
    check_bindings("input", inputs, job.inputs)
    check_bindings("output", outputs, job.outputs)
    best = {binding.name: tuple(int(size) for size in binding.shape) for binding in job.inputs}
    ranges = profile_of(inputs, best, job.ranges)
    bindings = {"inputs": [asdict(binding) for binding in inputs], "outputs": [asdict(binding) for binding in outputs]}
    profile = {name: asdict(shapes) for name, shapes in ranges.items()}
    counts = {"layers": network.num_layers, "layer_types": layer_types(network)}
    return counts | {"profile": profile, **bindings}, ranges


def _cache() -> dict[str, str]:
    """Return the argument that loads the timing cache, where one was laid out."""
    return {"load_timing_cache": TIMING_CACHE} if (_HERE / TIMING_CACHE).exists() else {}


def _built(parsed: tuple[Any, Any, Any], config: Any, job: Job) -> Any:
    from polygraphy.backend.trt import EngineBytesFromNetwork

    kept = TIMING_CACHE if job.build.timing_cache else None
    with _explained("the builder made no engine", "look up the operation it names; or choose other build options"):
        builder, *rest = parsed
        return EngineBytesFromNetwork((Isolated(builder), *rest), config=config, save_timing_cache=kept)()


@contextmanager
def _explained(what: str, cure: str) -> Iterator[None]:
    """Turn Polygraphy's exception, which says only that something failed, into what the builder logged."""
    from polygraphy.exception import PolygraphyException

    try:
        yield
    except PolygraphyException as error:
        raise BuildError(what, got=reason_from(_HERE / LOG) or str(error), cure=cure) from error


def _versions(trt: Any, job: Job) -> dict[str, str]:
    import polygraphy

    return {job.build.builder.value: trt.__version__, "polygraphy": polygraphy.__version__}


def _peak_mb() -> float:
    """Return the peak resident memory in MB of this process alone: getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) * 1024 / 1e6, 1) if found else 0.0


def main() -> None:
    """Do the job in the current folder; its result, or the error that it met, is written beside it."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    pipe = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        with storing():
            write_json(_HERE / RESULT, build(read_job(_HERE), pipe))
    except EnginewrightError as error:
        write_error(_HERE, error)


if __name__ == "__main__":
    main()
