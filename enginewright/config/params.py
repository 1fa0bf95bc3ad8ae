"""params.yaml as a stage reads it: refused if it is older than conf/. Light: no Hydra, no OmegaConf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError


def read_networks(params: Path, conf: Path) -> dict[str, Any]:
    """Return the `networks` mapping of params.yaml.

    Raises:
        ConfigError: if the file is missing, was not composed, was composed from another conf/, or was edited since.
    """
    if not params.exists():
        raise ConfigError(f"{params} is missing", expected="the composed configuration", cure="make params")
    try:
        values = load_yaml(params.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{params} is no YAML: {error}", cure="make params") from error
    composed = values.get("composed") if isinstance(values, dict) else None
    if not isinstance(composed, dict) or not isinstance(values.get("networks"), dict):
        raise ConfigError(f"{params} was not composed from conf/", cure="make params")
    _refuse_stale(composed.get("conf_sha256"), conf)
    _refuse_edited(composed.get("values_sha256"), {key: found for key, found in values.items() if key != "composed"})
    if composed.get("networks") != list(values["networks"]):
        raise ConfigError(f"{params} was cut short", expected=list(values["networks"]), cure="make params")
    return dict(values["networks"])


def _refuse_stale(recorded: object, conf: Path) -> None:
    if recorded != conf_sha256(conf):
        raise ConfigError(
            "params.yaml is stale: conf/ has changed since it was composed",
            expected=f"conf/ of SHA-256 {str(recorded)[:12]}",
            got=conf_sha256(conf)[:12],
            cure="make params && dvc repro (make repro does both), or dvc exp run",
        )


def _refuse_edited(recorded: object, values: dict[str, Any]) -> None:
    if recorded != values_sha256(values):
        raise ConfigError(
            "params.yaml was edited by hand: nothing has checked its values, and composing would undo them",
            expected=f"values of SHA-256 {str(recorded)[:12]}",
            got=values_sha256(values)[:12],
            cure="change conf/ and run make params, or pass the value: dvc exp run -S export.opset=18",
        )
