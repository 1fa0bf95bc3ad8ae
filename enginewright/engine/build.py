"""Builds one engine in a process of its own, and returns its bytes with what is known of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.engine.bindings import Binding
from enginewright.engine.child import ERRORS, child_environment, last_words
from enginewright.engine.gpu import Gpu, find_gpu
from enginewright.engine.job import ENGINE, GRAPH, TIMING_CACHE, Job, read_result, write_job
from enginewright.engine.support import Targets, targets
from enginewright.engine.timing_cache import cache_path, keep_cache, read_cache
from enginewright.errors import BuildError, RequirementError
from enginewright.progress import progress


@dataclass(frozen=True)
class Built:
    """An engine and what its building process knows of it.

    engine: the serialised engine. layers: of the parsed network, before fusion. layer_types: how many of their outputs
    have each type. inputs, outputs: as the builder parsed them. profile: {input: {"min", "opt", "max"}} of the inputs
    with dynamic axes. options: as resolved. versions: of the builder and of polygraphy. seconds: from parsing to the
    engine's bytes. peak_mb: resident memory.
    """

    engine: bytes
    targets: Targets
    layers: int
    layer_types: dict[str, int]
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    profile: dict[str, dict[str, list[int]]]
    options: dict[str, Any]
    versions: dict[str, str]
    seconds: float
    peak_mb: float
    timing_cache_sha256: str | None


def build_engine(graph: Path, job: Job) -> Built:
    """Return the engine of the ONNX file `graph`; the same file and job give the same bytes on one machine.

    Raises:
        RequirementError: if the builder is not installed, or is the full TensorRT and there is no GPU.
        BuildError: if the builder makes no engine, or its process dies; the message holds the builder's reason.
        GraphError: if the graph's inputs or outputs are not those of the job.
        ConfigError: for options and ranges that do not fit.
    """
    gpu = _needed_gpu(job.build.builder)
    with tempfile.TemporaryDirectory(prefix="enginewright-") as name:
        folder = Path(name)
        (folder / GRAPH).symlink_to(graph.resolve())
        write_job(folder, job)
        cache = _lay_out_cache(folder, job, gpu)
        _run(folder, job.build.builder)
        return _built(folder, job, gpu, cache)


def _needed_gpu(builder: Builder) -> Gpu | None:
    """Return this machine's GPU for the builder that times kernels on it; the other one must not look."""
    if builder is Builder.tensorrt_rtx:
        return None
    if (gpu := find_gpu()) is None:
        raise RequirementError(
            "the builder tensorrt times kernels on a GPU, and this machine has none",
            expected="an NVIDIA GPU with its driver",
            cure="build on a GPU server, or builder=tensorrt_rtx",
        )
    return gpu


def _lay_out_cache(folder: Path, job: Job, gpu: Gpu | None) -> Path | None:
    """Copy the kept timing cache to where the building process looks, and return where it is kept."""
    if job.build.timing_cache is None or gpu is None:
        return None
    version = api.use(job.build.builder).__version__
    path = cache_path(Path(job.build.timing_cache), f"{job.build.builder.value}_{version}", gpu)
    if (data := read_cache(path, job.build.timing_cache_sha256)) is not None:
        (folder / TIMING_CACHE).write_bytes(data)
    return path


def _run(folder: Path, builder: Builder) -> None:
    """Run the building process to its end, showing its steps."""
    command = [sys.executable, "-m", "enginewright.engine.worker"]
    with (
        progress(f"building an engine with {builder.name}", unit="steps") as tick,
        (folder / ERRORS).open("wb") as errors,
        subprocess.Popen(
            command, cwd=folder, env=child_environment(builder), stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            _follow(process, tick)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise _died(folder, builder, process.returncode)


def _follow(process: subprocess.Popen[bytes], tick: Any) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe; this tells the type checker
    done = 0
    while piece := os.read(process.stdout.fileno(), 1 << 16):
        done += len(piece)
        tick(done)


def _died(folder: Path, builder: Builder, code: int) -> BuildError:
    cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return BuildError(
        f"the building process of {builder.name} died",
        expected="an engine or a reason",
        got=last_words(folder, cause),
        cure="SIGKILL is mostly a lack of memory; otherwise try another opset or exporter",
    )


def _built(folder: Path, job: Job, gpu: Gpu | None, cache: Path | None) -> Built:
    result = read_result(folder)
    pinned = job.build.timing_cache_sha256 is not None
    grown = keep_cache(cache, (folder / TIMING_CACHE).read_bytes(), pinned) if cache is not None else None
    build, types = job.build, result["layer_types"]
    return Built(
        engine=(folder / ENGINE).read_bytes(),
        targets=targets(build.builder, build.compute_capabilities, build.hardware_compatible, gpu, types),
        layers=result["layers"],
        layer_types=types,
        inputs=tuple(Binding.from_json(binding) for binding in result["inputs"]),
        outputs=tuple(Binding.from_json(binding) for binding in result["outputs"]),
        profile=result["profile"],
        options=result["options"],
        versions=result["versions"],
        seconds=result["seconds"],
        peak_mb=result["peak_mb"],
        timing_cache_sha256=grown,
    )
