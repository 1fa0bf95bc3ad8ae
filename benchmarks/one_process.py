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
from enginewright.stage.by_hand import arguments_of
from enginewright.stage.entry import paths_of


def plan() -> list[tuple[str, str, dict[str, list[str]]]]:
    """Return (stage, network, arguments) in the order of dvc.yaml; the probe, which every run pays, is left out."""
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    rows = []
    for name, stage in stages.items():
        if name == "probe":
            continue
        items = params[stage["foreach"][2:-1]] if "foreach" in stage else {"": {}}
        command = stage.get("do", stage)["cmd"]
        rows += [(name, key, arguments_of(command, key, item)) for key, item in items.items()]
    return rows


def main(folder: Path) -> dict[str, float]:
    """Run all stages below `folder`; return the seconds of each."""
    networks = read_networks(Path("params.yaml"), Path("conf"))
    seconds: dict[str, float] = {}
    for name, network, arguments in plan():
        start = time.monotonic()
        module = importlib.import_module(f"stages.{name}")
        inputs = {key: folder / path for key, path in paths_of(arguments["--in"]).items()}
        outputs = {key: folder / path for key, path in paths_of(arguments["--out"]).items()}
        module.main(Stage(network, networks, module.SECTIONS, inputs, outputs))
        seconds[f"{name}@{network}" if network else name] = time.monotonic() - start
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
