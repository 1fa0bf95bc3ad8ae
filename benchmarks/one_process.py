"""The floor: the stages' own work in one warm process, stage after stage, without DVC and without new processes.

`python -m benchmarks.one_process FOLDER [STAGE...]` writes all outputs below FOLDER, where inputs that no stage of it
makes lie already, and prints the seconds of each stage. Stages are named as DVC names them (`export@disk`).
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from enginewright.config.params import read_networks
from enginewright.heap import keep_freed
from enginewright.stage import Stage
from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import Step, steps_of


def plan(stages: Sequence[str] = ()) -> list[Step]:
    """Return the stages in the order of dvc.yaml, all by default; the probe, which every run pays, is left out."""
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    steps = [step for name, step in steps_of(Path("dvc.yaml"), params).items() if name != "probe"]
    return [step for step in steps if not stages or step.name in stages]


def main(folder: Path, stages: Sequence[str] = ()) -> dict[str, float]:
    """Run stages below `folder`; return the seconds of each."""
    keep_freed()  # as each stage's own process does
    networks = read_networks(Path("params.yaml"), Path("conf"))
    seconds: dict[str, float] = {}
    for step in plan(stages):
        start = time.monotonic()
        module = importlib.import_module(f"stages.{step.name.partition('@')[0]}")
        inputs, outputs = ({key: folder / path for key, path in files.items()} for files in files_in(step.cmd))
        module.main(Stage(step.network, networks, module.SECTIONS, inputs, outputs))
        seconds[step.name] = round(time.monotonic() - start, 3)
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))
