"""The stages' own work in one warm process: every stage's `main`, in order, without DVC and without new processes.

`python -m benchmarks.one_process FOLDER` writes all outputs below FOLDER and prints the seconds of each stage.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import yaml

from enginewright.config.params import read_networks
from enginewright.stage import Stage
from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import Step, steps_of


def plan() -> list[Step]:
    """Return the stages in the order of dvc.yaml; the probe, which every run pays, is left out."""
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return [step for name, step in steps_of(Path("dvc.yaml"), params).items() if name != "probe"]


def main(folder: Path) -> dict[str, float]:
    """Run all stages below `folder`; return the seconds of each."""
    networks = read_networks(Path("params.yaml"), Path("conf"))
    seconds: dict[str, float] = {}
    for step in plan():
        start = time.monotonic()
        module = importlib.import_module(f"stages.{step.name.partition('@')[0]}")
        inputs, outputs = ({key: folder / path for key, path in files.items()} for files in files_in(step.cmd))
        module.main(Stage(step.network, networks, module.SECTIONS, inputs, outputs))
        seconds[step.name] = time.monotonic() - start
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
