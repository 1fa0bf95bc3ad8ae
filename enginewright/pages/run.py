"""One run, whole: what its stages wrote, wherever its files lie."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from yaml import YAMLError

from enginewright.config.yaml_text import load_yaml
from enginewright.errors import DataError
from enginewright.pages.files import Files
from enginewright.report.collect import STAGES, Metrics
from enginewright.stage.chain import WEIGHTS

Rows = Sequence[Mapping[str, Any]]

JUDGED = ("preflight", *STAGES)
"""The stages that write metrics, in the order of the pipeline, preflight among them."""


@dataclass(frozen=True)
class Run:
    """What a run wrote, read from `files` when it is asked for.

    params: its params.yaml; empty where a failed variant left none.
    metrics: {network: {stage: metrics}}.
    """

    name: str
    files: Files
    params: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Metrics]]

    @cached_property
    def records(self) -> dict[str, Mapping[str, Any]]:
        """The engine.json of each network that has one."""
        found = {network: self.json(f"{WEIGHTS}/{network}/engine.json") for network in self.metrics}
        return {network: record for network, record in found.items() if isinstance(record, Mapping)}

    @cached_property
    def statements(self) -> dict[str, Mapping[str, Any]]:
        """The statement of each network that has one."""
        found = {network: self.json(f"{WEIGHTS}/{network}/engine.intoto.json") for network in self.metrics}
        return {network: statement for network, statement in found.items() if isinstance(statement, Mapping)}

    def curves(self, network: str) -> Rows:
        """Return errors.json of a network: `series`, `quantile`, `error`; empty where there is none."""
        return _rows(self.json(f"plots/{network}/errors.json"))

    def ranges(self, network: str) -> Rows:
        """Return ranges.json of a network, a row for each reduced tensor; empty where there is none."""
        return _rows(self.json(f"plots/{network}/ranges.json"))

    def pictures(self, network: str) -> list[str]:
        """Return the paths of a network's pictures."""
        return [path for path in self.files.below(f"plots/{network}") if path.endswith(".png")]

    def json(self, path: str) -> Any:
        """Return what a JSON file holds, or None where there is none.

        Raises:
            DataError: if it is no JSON.
        """
        data = self.files.read(path)
        try:
            return None if data is None else json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} of {self.name} is no JSON: {error}", cure="dvc repro") from error


def _rows(value: Any) -> Rows:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def run_of(name: str, files: Files) -> Run:
    """Return the run that left `files`. Of a folder with a params.yaml, the networks of that run alone.

    Raises:
        DataError: if a metric file is no JSON object.
    """
    data = files.read("params.yaml")
    params = _params(name, data)
    run = Run(name, files, params, {})
    composed = params.get("composed")
    networks = (composed.get("networks") if isinstance(composed, Mapping) else None) or _folders(files)
    metrics = {str(network): _metrics(run, str(network)) for network in networks}
    return Run(name, files, params, {network: stages for network, stages in metrics.items() if stages})


def _params(name: str, data: bytes | None) -> Mapping[str, Any]:
    try:
        found = load_yaml(data) if data else None
    except YAMLError as error:
        raise DataError(f"params.yaml of {name} is no YAML: {error}", cure="make params") from error
    return found if isinstance(found, Mapping) else {}


def _folders(files: Files) -> list[str]:
    return sorted({path.split("/")[1] for path in files.below("metrics") if path.count("/") > 1})


def _metrics(run: Run, network: str) -> dict[str, Metrics]:
    found = {stage: run.json(f"metrics/{network}/{stage}.json") for stage in JUDGED}
    for stage, value in found.items():
        if value is not None and not isinstance(value, Mapping):
            raise DataError(f"{stage}.json of {network} in {run.name} holds no JSON object", got=type(value).__name__)
    return {stage: value for stage, value in found.items() if value is not None}
