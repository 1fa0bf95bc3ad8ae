"""probe: what this machine has, one small file a tool. Runs every time, and is the first to refuse a bad set-up.

Stages depend on the files of the tools they use, so a new exporter exports again and nothing else does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import json_bytes, write_bytes
from enginewright.config.params import read_networks
from enginewright.errors import RequirementError, exit_with
from enginewright.lifeline import end_with_dvc
from enginewright.private_folders import keep_private
from enginewright.probing import probe
from enginewright.temporaries import clear_leftovers


def run(networks: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the content of every probe file.

    Raises:
        RequirementError: if a configured builder is not installed, or a GPU is demanded and there is none.
    """
    found = probe()
    refuse_unmet(networks, found)
    return found


def refuse_unmet(networks: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a configuration that needs what the machine lacks of which `found` was probed.

    Raises:
        RequirementError: as `run` does.
    """
    for network in networks.values():
        _refuse_missing_builder(network["build"]["builder"], found)
    if found["gpu"]["require_gpu"] and found["gpu"]["gpu"] is None:
        raise RequirementError(
            "REQUIRE_GPU=1 is set and this machine has no NVIDIA GPU", expected="a GPU with its driver", got=None,
            cure="unset REQUIRE_GPU: checks that need a GPU then say not_run",
        )  # fmt: skip


def _refuse_missing_builder(builder: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    packages = {name: at for name, at in found[f"builder_{builder}"].items() if name.startswith("tensorrt")}
    if not any(packages.values()):
        raise RequirementError(
            f"the builder {builder} is not installed",
            expected=f"one of {', '.join(packages)}",
            cure="make setup-tensorrt" if builder == "tensorrt" else "make setup",
        )


def main(folder: Path) -> None:
    """Close DVC's folders and check params.yaml; then write every probe file, leaving an unchanged one as it is."""
    end_with_dvc()
    keep_private(Path())
    clear_leftovers(folder)
    for name, facts in run(read_networks(Path("params.yaml"), Path("conf"))).items():
        path, data = folder / f"{name}.json", json_bytes(facts)
        if not path.is_file() or path.read_bytes() != data:
            write_bytes(path, data)


if __name__ == "__main__":
    exit_with(lambda: main(Path(sys.argv[1])))
