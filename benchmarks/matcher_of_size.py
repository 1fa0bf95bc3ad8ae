"""Export and build of DISK's LightGlue for K keypoints: `python -m benchmarks.matcher_of_size K FOLDER`.

In a clone that holds the network's checkpoint, by the stages' own functions. No image has 4,096 keypoints of DISK's at
512 x 512, so there is nothing to compare with and only the two stages that need no image run.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import networks
from benchmarks.engine_job import job_of
from enginewright.config.models import MatcherModel
from enginewright.config.params import read_networks
from enginewright.config.typed import typed_network
from enginewright.engine.build import build_engine
from enginewright.graphs.files import save_graph
from enginewright.heap import keep_freed
from stages import export

NETWORK = "disk_lightglue"


def main(keypoints: int, folder: Path) -> dict[str, float]:
    """Write graph and engine below `folder`; return the seconds of both and the size of the engine."""
    keep_freed()  # as each stage's own process does
    found = typed_network(read_networks(Path("params.yaml"), Path("conf"))[NETWORK], NETWORK)
    assert isinstance(found.model, MatcherModel)  # noqa: S101 - tells the type checker
    model = replace(found.model, keypoints=keypoints)
    start = time.monotonic()
    graph = export.run(model, found.swap.form, found.export, Path("weights") / NETWORK / "checkpoint.safetensors")
    save_graph(folder / "exported.onnx", graph)
    exported = time.monotonic()
    contract = networks.load(model.adapter).contract(model)
    engine = build_engine(folder / "exported.onnx", job_of(found.build, contract, model.ranges)).engine
    return {
        "export_s": round(exported - start, 2),
        "build_s": round(time.monotonic() - exported, 2),
        "engine_mb": round(len(engine) / 1e6, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
