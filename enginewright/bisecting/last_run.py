"""Which graphs of the last run are those that a configuration would make: dvc.lock says what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

from yaml import YAMLError

from enginewright.artifacts import md5_of
from enginewright.config.network import NetworkConfig
from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError
from enginewright.stage.chain import WEIGHTS

_MAKERS = {
    "exported.onnx": ("export", "adopt", "merge"),
    "simplified.onnx": ("simplify",),
    "typed.onnx": ("cast",),
}
"""The graphs in the order in which they are made, and the stages that can have made each."""


def fitting(network: str, config: NetworkConfig, lock: Path = Path("dvc.lock")) -> dict[str, Path]:
    """Return the graphs of the last run that this configuration would make again, by file name.

    A graph fits if the run that wrote it had the same parameters, of its own stage and of all before it, and if the
    file is still the one that the run wrote.
    """
    stages = _stages(lock)
    found: dict[str, Path] = {}
    for file, makers in _MAKERS.items():
        entry = next((stages[f"{name}@{network}"] for name in makers if f"{name}@{network}" in stages), None)
        path = WEIGHTS / network / file
        if entry is None or not _same_parameters(entry, network, config) or not _written_by(entry, path):
            break
        found[file] = path
    return found


def _stages(lock: Path) -> dict[str, Any]:
    if not lock.is_file():
        return {}
    try:
        loaded = load_yaml(lock.read_bytes()) or {}
        return dict(loaded.get("stages", {}))
    except (YAMLError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{lock} cannot be read: {error}", expected="what dvc repro wrote", cure=f"git checkout {lock}"
        ) from error


def _same_parameters(entry: Mapping[str, Any], network: str, config: NetworkConfig) -> bool:
    prefix = f"networks.{network}."
    locked = entry.get("params", {}).get("params.yaml", {})
    own = {key.removeprefix(prefix): value for key, value in locked.items() if key.startswith(prefix)}
    return all(_plain(getattr(config, key.split(".")[0])) == value for key, value in own.items() if "." not in key)


def _plain(section: Any) -> Any:
    """Return a section as YAML holds it: enums by their names."""
    return _unnamed(asdict(section))


def _unnamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unnamed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unnamed(item) for item in value]
    return value.name if isinstance(value, Enum) else value


def _written_by(entry: Mapping[str, Any], path: Path) -> bool:
    digests = {out["path"]: out.get("md5") for out in entry.get("outs", [])}
    return path.is_file() and path.as_posix() in digests and md5_of(path) == digests[path.as_posix()]
