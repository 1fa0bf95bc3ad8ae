"""One folder with all that a run needs: weights once, references, the pipeline's own graphs, and the plan.

Styles are written on the machine that runs them, from the weights, so any number of them adds nothing to the folder.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.latency.artifacts import BASE, EXTRACTED, MATCHER, SIZES, Artifact, artifacts, write_artifacts
from benchmarks.latency.contestant import EXTRACTORS
from benchmarks.latency.contestant import MATCHER as LIGHTGLUE
from benchmarks.latency.floor import floor_of
from benchmarks.latency.lightglue_graph import lightglue_graph
from benchmarks.latency.plan import KINDS, contestants
from benchmarks.latency.style import Style
from benchmarks.latency.weights import read_weights
from enginewright.artifacts import write_bytes, write_json
from enginewright.errors import ConfigError
from enginewright.report.table import commit
from enginewright.stage.chain import WEIGHTS, needed

_PAIRS, _IMAGES = 2, 2


def pack(folder: Path, only: str = "") -> None:
    """Write the bundle into `folder`.

    only: regular expression of the pipeline's graphs that take part; a network without one is left out. So is ALIKED
    where it was not built here.

    Raises:
        ConfigError: if another network was not built here, or no graph is left.
    """
    chosen = [artifact for artifact in artifacts() if re.search(only, artifact.name) and _is_there(artifact)]
    if not chosen:
        raise ConfigError(
            "no graph takes part",
            expected=f"one of {' '.join(artifact.name for artifact in artifacts())}, of a network that was built here",
            got=only,
            cure="another --only, or dvc exp run -S 'network=[aliked_n16]' for ALIKED",
        )
    words = {artifact.word for artifact in chosen}
    if LIGHTGLUE in words:
        _write_matcher(folder)
    for word in words & EXTRACTORS.keys():
        _write_extractor(folder, word)
    files = write_artifacts(folder, chosen)
    planned = contestants({artifact.name: artifact.file for artifact in artifacts()})
    rows = [spec for spec in planned if spec.network in words and spec.options.get("graph") in (None, *files)]
    plan = {"commit": commit(), "floors": _floors(folder, words), "contestants": [asdict(spec) for spec in rows]}
    write_json(folder / "plan.json", plan)


def _is_there(artifact: Artifact) -> bool:
    return artifact.word != "aliked" or (WEIGHTS / artifact.network / "reference.npz").is_file()


def _write_matcher(folder: Path) -> None:
    """Write LightGlue's weights and its references at every size."""
    from benchmarks.latency.references import write_references

    write_bytes(folder / "matcher.safetensors", needed(MATCHER, "checkpoint.safetensors").read_bytes())
    write_bytes(folder / f"matcher-{BASE}.npz", needed(MATCHER, "reference.npz").read_bytes())
    write_references(folder, SIZES, _PAIRS)


def _write_extractor(folder: Path, word: str) -> None:
    """Write an extractor's weights and the first images of its reference, with what the original gives at every K."""
    from benchmarks.latency.references import extracted

    network = EXTRACTORS[word]
    write_bytes(folder / f"{word}.safetensors", needed(network, "checkpoint.safetensors").read_bytes())
    with np.load(needed(network, "reference.npz"), allow_pickle=False) as file:
        few = {name: file[name][:_IMAGES] for name in file.files if name.startswith(("in/", "out/"))}
    np.savez(folder / f"{word}-{BASE}.npz", allow_pickle=False, **few)
    images = {"in/image": few["in/image"]}
    most = extracted(network, max(EXTRACTED), few["in/image"])
    for keypoints in EXTRACTED:
        outputs = {name: array[:, :, :keypoints] for name, array in most.items()}
        np.savez(folder / f"{word}-{keypoints}.npz", allow_pickle=False, **images, **outputs)


def _floors(folder: Path, words: set[str]) -> dict[str, Any]:
    """Return the floor of each network, size and type, one pair or image a call."""
    floors = {}
    if LIGHTGLUE in words:
        weights = read_weights(folder / "matcher.safetensors")
        points = [(keypoints, "float16") for keypoints in (BASE, *SIZES)] + [(BASE, "float32"), (BASE, "bfloat16")]
        floors = {f"matcher-{k}-{kind}": floor_of(lightglue_graph(weights, Style(k, dtype=kind))) for k, kind in points}
    for artifact in artifacts():
        path = folder / artifact.file
        if artifact.word in words & EXTRACTORS.keys() and artifact.pairs == 1 and path.is_file():
            floors[f"{artifact.word}-{artifact.keypoints}-{KINDS[artifact.precision]}"] = floor_of(onnx.load(path))
    return {name: floor.as_metrics() for name, floor in floors.items()}
