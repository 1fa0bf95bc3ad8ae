"""The metrics of all networks, as the stages wrote them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json
from enginewright.errors import DataError

STAGES = ("swap", "export", "simplify", "cast", "compare", "build", "match")
"""The stages that write metrics, in the order of the pipeline."""

Metrics = Mapping[str, Any]


def collect(folder: Path, only: Collection[str] | None = None) -> dict[str, dict[str, Metrics]]:
    """Return {network: {stage: metrics}} of `folder`/<network>/<stage>.json, networks in alphabetical order.

    only: the networks of this run; those of earlier runs may still lie in the folder. None takes all.

    Raises:
        DataError: if there is no network, or a file holds no JSON object.
    """
    networks = sorted(path for path in folder.glob("*") if path.is_dir() and (only is None or path.name in only))
    if not networks:
        raise DataError(f"{folder} holds no metrics", expected="a folder for each network", cure="dvc repro")
    return {
        path.name: {stage: read_json(file) for stage in STAGES if (file := path / f"{stage}.json").exists()}
        for path in networks
    }
