"""params.yaml as a stage reads it: refused if it is older than conf/. Light: no Hydra, no OmegaConf."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError
from enginewright.input_file import read_input

_MOST_BYTES = 1 << 26
_WIRED = ("torch_networks", "onnx_networks", "merged_networks", "matchers")
"""The lists that stages of dvc.yaml run over, whose names and values it writes into commands and paths."""

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


def read_networks(params: Path, conf: Path) -> dict[str, Any]:
    """Return the `networks` mapping of params.yaml.

    Raises:
        ConfigError: if the file is missing, was not composed, was composed from another conf/, or was edited since; if
            a name in it could mean more than a name to the shell that DVC starts stages with.
    """
    values = _values(params)
    composed = values.get("composed")
    if not isinstance(composed, dict) or not isinstance(values.get("networks"), dict):
        raise ConfigError(f"{params} was not composed from conf/", cure="make params")
    _refuse_stale(composed.get("conf_sha256"), conf)
    _refuse_edited(composed.get("values_sha256"), {key: found for key, found in values.items() if key != "composed"})
    if composed.get("networks") != list(values["networks"]):
        raise ConfigError(f"{params} was cut short", expected=list(values["networks"]), cure="make params")
    _refuse_shell({key: found for key, found in values.items() if key in _WIRED})
    return dict(values["networks"])


def _values(params: Path) -> dict[str, Any]:
    if not params.exists():
        raise ConfigError(f"{params} is missing", expected="the composed configuration", cure="make params")
    try:
        values = load_yaml(read_input(params, _MOST_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{params} is no YAML: {error}", cure="make params") from error
    return values if isinstance(values, dict) else {}


def _refuse_shell(value: Any) -> None:
    """Refuse names that are no plain words, in what dvc.yaml writes into command lines: DVC quotes nothing.

    A user's folder, `data.watch`, may have any name: it is a dependency only.
    """
    if isinstance(value, dict):
        for key, found in value.items():
            _refuse_shell(str(key))
            if key != "data":
                _refuse_shell(found)
    elif not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise ConfigError(
            "params.yaml names what would reach a command line and is no plain word",
            expected="letters, digits and _./-",
            got=str(value)[:200],
            cure="make params",
        )


def _refuse_stale(recorded: object, conf: Path) -> None:
    if recorded != conf_sha256(conf):
        raise ConfigError(
            "params.yaml is stale: conf/ has changed since it was composed",
            expected=f"conf/ of SHA-256 {str(recorded)[:12]}",
            got=conf_sha256(conf)[:12],
            cure="make params && dvc repro (make repro does both), or dvc exp run",
        )


def _refuse_edited(recorded: object, values: dict[str, Any]) -> None:
    if recorded != _digest(values):
        raise ConfigError(
            "params.yaml was edited by hand: nothing has checked its values, and composing would undo them",
            expected=f"values of SHA-256 {str(recorded)[:12]}",
            got=_digest(values)[:12],
            cure="change conf/ and run make params, or pass the value: dvc exp run -S export.opset=18",
        )


def _digest(values: dict[str, Any]) -> str:
    """Return the digest of the values, or why there is none: composing writes no dates, and no keys but text."""
    try:
        return values_sha256(values)
    except (TypeError, ValueError) as error:
        return f"none: {error}"
