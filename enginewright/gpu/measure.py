"""Runs the variants of a folder on this machine's GPU: matches kept, errors and latency of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from enginewright.artifacts import read_json
from enginewright.errors import ConfigError, GraphError, RequirementError
from enginewright.gpu.kept import kept_matches
from enginewright.gpu.overflow import overflowing
from enginewright.gpu.session import Session
from enginewright.gpu.stand_ins import runnable
from enginewright.graphs.provider import CUDA
from enginewright.progress import progress
from enginewright.reference import load_reference
from enginewright.verdicts import PASSED, Verdict, failed, not_run


def measured(folder: Path) -> list[dict[str, Any]]:
    """Return a row for each variant of the folder: what was known of it, and what this GPU found.

    Raises:
        ConfigError: if the folder holds no variant.
        RequirementError: where there is no GPU and `REQUIRE_GPU=1` forbids `not_run`.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise ConfigError(
            "there are no variants to run",
            expected="NAME.json and NAME.onnx of each",
            got=f"nothing in {folder}",
            cure="python -m enginewright.gpu build",
        )
    rows = []
    with progress("running variants", len(paths), "variants") as tick:
        for done, path in enumerate(paths, start=1):
            facts = read_json(path)
            rows.append(facts | _on_gpu(path.with_suffix(".onnx"), facts, folder))
            tick(done)
    return rows


def _on_gpu(graph: Path, facts: dict[str, Any], folder: Path) -> dict[str, Any]:
    if not graph.is_file():
        return {"gpu": not_run(f"it was not built: {facts['reason']}").as_metrics()}
    try:
        return _run(graph, facts, folder)
    except RequirementError as missing:
        return {"gpu": not_run(missing.what).as_metrics()}
    except GraphError as broken:
        return {"gpu": failed(broken.what).as_metrics()}


def _run(graph: Path, facts: dict[str, Any], folder: Path) -> dict[str, Any]:
    tf32 = facts["precision"] == "tf32"
    reference = load_reference(folder / f"{facts['network']}.npz")
    with runnable(graph, CUDA) as (path, in_float32):
        session = Session(path, CUDA, tf32)
        kept = kept_matches(session, reference)
        _, inputs, _ = next(reference.samples())
        times = session.milliseconds(inputs)
        overflow = overflowing(path, reference, CUDA)
    verdict = _judged(kept, float(facts["matcher_ratio"]), overflow)
    told = {"overflow": overflow} | ({"in_float32": in_float32} if in_float32 else {})
    return {"gpu": {**kept, "latency_ms": float(np.median(times)), **told, **verdict.as_metrics()}}


def _judged(kept: dict[str, Any], least: float, overflow: list[str]) -> Verdict:
    share = kept["common"] / kept["original"] if kept["original"] else 0.0
    if not np.isfinite(kept["mscores_max_abs"]):
        return failed("a confidence is NaN or Inf")
    if share < least:
        return failed(
            f"{kept['common']} of {kept['original']} matches kept, a share of {share:.4f}; {least:g} is asked"
        )
    if overflow:
        return failed(f"tensors that overflow on the GPU: {len(overflow)}, the first is {overflow[0]}")
    return PASSED
