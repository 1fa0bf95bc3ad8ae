"""The pipeline's own graphs for a latency run, made by the stages' own functions: export, simplify, cast."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.contestant import EXTRACTORS
from benchmarks.latency.contestant import MATCHER as LIGHTGLUE
from benchmarks.latency.samples import samples
from enginewright.config.models import MAX_KEYPOINTS
from enginewright.config.network import NetworkConfig
from enginewright.graphs.files import save_graph
from enginewright.reference import Reference
from enginewright.stage.chain import configured, write_exported, write_simplified

MATCHER = "disk_lightglue"
BASE = 1024
SIZES = (512, 2048, 4096)
PAIRS = 8
EXTRACTED = (512, 2048, MAX_KEYPOINTS)
"""Keypoints of extractors beside BASE; TensorRT's TopK ends before 4,096."""

_PLAIN = ("model.mask_padding=false",)
_FUSED = (*_PLAIN, "model.options.graph=fused", "export.opset=23")


@dataclass(frozen=True)
class Artifact:
    """A typed graph of the pipeline.

    name: its file in the bundle, without suffix. overrides: below its network's section; precision: of the pipeline.
    keypoints, pairs: of a call; pairs of an extractor are images. Graphs that differ in precision only are exported
    once.
    """

    name: str
    network: str
    precision: str
    overrides: tuple[str, ...] = ()
    keypoints: int = BASE
    pairs: int = 1

    @property
    def file(self) -> str:
        """Return its file in the bundle."""
        return f"{self.name}.onnx"

    @property
    def word(self) -> str:
        """Return what a plan calls its network."""
        return next((word for word, network in EXTRACTORS.items() if network == self.network), LIGHTGLUE)

    @property
    def reference(self) -> str:
        """Return the file of its samples in the bundle."""
        return f"{self.word}-{self.keypoints}.npz"

    def config(self) -> NetworkConfig:
        """Return its configuration. A matcher's size is set past the rules: it need not fit the extractor."""
        below = [f"networks.{self.network}.{item}" for item in self.overrides]
        config = configured(self.network, [f"precision={self.precision}", *below])
        sizes: dict[str, Any] = {"keypoints": self.keypoints, "batch": self.pairs}
        return replace(config, model=replace(config.model, **sizes))


def artifacts() -> Iterator[Artifact]:
    """Yield all that take part: how the matcher can be written, its precisions, sizes and batches, and the extractor.

    `published-masked` is what the pipeline makes by default; the others take every keypoint for a real one. Extractors
    are those of the default configuration, with other K and with several images in a call.
    """
    yield Artifact("published-masked", MATCHER, "fp16")
    yield Artifact("published", MATCHER, "fp16", _PLAIN)
    yield Artifact("folded", MATCHER, "fp16", (*_PLAIN, "model.options.graph=folded"))
    yield Artifact("fused", MATCHER, "fp16", _FUSED)
    yield Artifact("fused-fp32", MATCHER, "fp32", _FUSED)
    for keypoints in SIZES:
        yield Artifact(f"fused-{keypoints}", MATCHER, "fp16", _FUSED, keypoints)
    yield Artifact(f"fused-{PAIRS}-pairs", MATCHER, "fp16", _FUSED, pairs=PAIRS)
    for word, network in EXTRACTORS.items():
        yield from (Artifact(f"{word}-{precision}", network, precision) for precision in ("fp16", "bf16", "fp32"))
        for precision in ("fp16", "fp32"):
            for keypoints in EXTRACTED:
                yield Artifact(f"{word}-{keypoints}-{precision}", network, precision, (), keypoints)
            yield Artifact(f"{word}-{PAIRS}-images-{precision}", network, precision, pairs=PAIRS)


def write_artifacts(folder: Path, wanted: Iterable[Artifact]) -> list[str]:
    """Write each into the bundle, and return the files' names.

    All are made anew, of this code. Needs the references of the bundle, whose inputs the cast measures.
    """
    from stages import cast

    files = []
    with tempfile.TemporaryDirectory(prefix="latency-") as work:
        for artifact in wanted:
            config = artifact.config()
            simplified = _simplified(artifact, config, Path(work))
            graph, _ = cast.run(config.cast, simplified, _reference(artifact, config, folder), config.swap.form)
            save_graph(folder / artifact.file, graph)
            files.append(artifact.file)
    return files


def _simplified(artifact: Artifact, config: NetworkConfig, work: Path) -> Path:
    """Return the simplified graph, made once for all precisions."""
    stem = artifact.name.removesuffix(f"-{artifact.precision}")
    exported, simplified = work / f"{stem}-exported.onnx", work / f"{stem}-simplified.onnx"
    if not simplified.is_file():
        write_exported(exported, artifact.network, config)
        write_simplified(simplified, exported, config)
    return simplified


def _reference(artifact: Artifact, config: NetworkConfig, folder: Path) -> Reference:
    """Return the samples of the bundle under the graph's own contract."""
    import networks

    rows = list(samples(folder / artifact.reference, artifact.pairs))
    inputs, outputs = ({name: np.stack([row[side][name] for row in rows]) for name in rows[0][side]} for side in (0, 1))
    names = tuple(map(str, range(len(rows))))
    return Reference(inputs, outputs, names, networks.load(config.model.adapter).contract(config.model))
