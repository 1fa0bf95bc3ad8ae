"""One folder with all that a run needs: weights once, references, the pipeline's own graphs, and the plan.

Styles are written on the machine that runs them, from the weights, so any number of them adds nothing to the folder.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.latency.artifacts import BASE, MATCHER, SIZES, write_artifacts
from benchmarks.latency.floor import floor_of
from benchmarks.latency.lightglue_graph import lightglue_graph
from benchmarks.latency.plan import contestants
from benchmarks.latency.style import Style
from benchmarks.latency.weights import read_weights
from enginewright.artifacts import write_bytes, write_json
from enginewright.report.table import commit
from enginewright.stage.chain import needed

_PAIRS, _IMAGES = 2, 2


def pack(folder: Path) -> None:
    """Write the bundle into `folder`.

    Raises:
        ConfigError: if DISK and its LightGlue were not built here.
    """
    checkpoint = needed(MATCHER, "checkpoint.safetensors")
    write_bytes(folder / "matcher.safetensors", checkpoint.read_bytes())
    write_bytes(folder / f"matcher-{BASE}.npz", needed(MATCHER, "reference.npz").read_bytes())
    from benchmarks.latency.references import write_references

    write_references(folder, SIZES, _PAIRS)
    _write_extractor(folder)
    graphs = write_artifacts(folder)
    specs = [asdict(spec) for spec in contestants(graphs)]
    plan = {"commit": commit(), "floors": _floors(checkpoint, folder), "contestants": specs}
    write_json(folder / "plan.json", plan)


def _write_extractor(folder: Path) -> None:
    """Write DISK's weights and the first images of its reference."""
    write_bytes(folder / "disk.safetensors", needed("disk", "checkpoint.safetensors").read_bytes())
    with np.load(needed("disk", "reference.npz"), allow_pickle=False) as file:
        few = {name: file[name][:_IMAGES] for name in file.files if name.startswith(("in/", "out/"))}
    np.savez(folder / "disk.npz", allow_pickle=False, **few)


def _floors(checkpoint: Path, folder: Path) -> dict[str, Any]:
    """Return the floor of each network, size and type, one pair or image a call."""
    weights = read_weights(checkpoint)
    points = [(keypoints, "float16") for keypoints in (BASE, *SIZES)] + [(BASE, "float32"), (BASE, "bfloat16")]
    floors = {f"matcher-{k}-{kind}": floor_of(lightglue_graph(weights, Style(k, dtype=kind))) for k, kind in points}
    for precision, kind in (("fp16", "float16"), ("fp32", "float32")):
        floors[f"disk-{BASE}-{kind}"] = floor_of(onnx.load(folder / f"disk-{precision}.onnx"))
    return {name: floor.as_metrics() for name, floor in floors.items()}
