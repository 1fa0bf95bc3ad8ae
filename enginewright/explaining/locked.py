"""What dvc.lock says of each stage: its command, and the hashes and values that it ran with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError
from enginewright.lineage.commits import file_at

LOCK = "dvc.lock"


@dataclass(frozen=True)
class Record:
    """One stage as a lock holds it. deps, outs: hash by path. params: value or section by dotted key."""

    cmd: str
    deps: Mapping[str, str]
    params: Mapping[str, Any]
    outs: Mapping[str, str]


def read_lock(text: str | bytes) -> dict[str, Record]:
    """Return the record of each stage in the text of a dvc.lock, empty for a lock that is.

    Raises:
        ConfigError: if it is no lock: a killed `dvc` may leave it cut short.
    """
    try:
        stages = (load_yaml(text) or {"stages": {}})["stages"]
        return {name: _record(entry) for name, entry in stages.items()}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{LOCK} cannot be read: {error}", expected="what dvc repro wrote", cure=f"git checkout {LOCK}"
        ) from error


def _record(entry: Mapping[str, Any]) -> Record:
    params: dict[str, Any] = {}
    for values in entry.get("params", {}).values():
        params |= values
    return Record(entry["cmd"], _hashes(entry.get("deps", [])), params, _hashes(entry.get("outs", [])))


def _hashes(items: list[Mapping[str, Any]]) -> dict[str, str]:
    return {item["path"]: str(item.get("md5", "")) for item in items}


def lock_here(root: Path) -> dict[str, Record]:
    """Return the lock that lies in the repository, empty where nothing ran yet."""
    path = root / LOCK
    return read_lock(path.read_bytes()) if path.is_file() else {}


def lock_at(root: Path, commit: str) -> dict[str, Record]:
    """Return the lock of a commit, empty where it has none."""
    return read_lock(file_at(root, commit, f"./{LOCK}") or b"")
