"""dvc.lock against the pipeline: every stage is there, with the command, paths and values that it has now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError
from enginewright.stage.commands import value_at
from enginewright.verifying.checks import Check, failed, missing, passed
from enginewright.verifying.pipeline import Step

GROUP = "dvc.lock"
_ENTRY = {"cmd", "deps", "params", "outs"}
_ITEM = {"path", "hash", "md5", "size", "nfiles", "isexec"}
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_RERUN = "git checkout dvc.lock if nobody meant that, else make repro"


@dataclass(frozen=True)
class Locked:
    """What a lock says of one file or folder. stage: that wrote it, or read it."""

    stage: str
    path: str
    md5: str
    size: int | None
    nfiles: int | None


@dataclass(frozen=True)
class Entry:
    """What a lock says of one stage."""

    cmd: str
    deps: tuple[Locked, ...]
    outs: tuple[Locked, ...]
    params: Mapping[str, Any]


def read_entries(path: Path) -> dict[str, Entry]:
    """Return the entries of a lock by stage.

    Raises:
        ConfigError: if it is no lock, or has a key or a hash that DVC does not write.
    """
    try:
        stages = load_yaml(path.read_text(encoding="utf-8"))["stages"]
        return {str(name): _entry(str(name), raw) for name, raw in stages.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path.name} cannot be read: {error}", expected="what dvc repro wrote", cure=f"git checkout {path.name}"
        ) from error


def _entry(name: str, raw: Mapping[str, Any]) -> Entry:
    if unknown := set(raw) - _ENTRY:
        raise ValueError(f"{name} has unknown keys {sorted(map(str, unknown))}")
    params = {key: value for values in raw.get("params", {}).values() for key, value in values.items()}
    deps, outs = (tuple(_locked(name, item) for item in raw.get(kind, [])) for kind in ("deps", "outs"))
    return Entry(str(raw["cmd"]), deps, outs, params)


def _locked(stage: str, item: Mapping[str, Any]) -> Locked:
    if unknown := set(item) - _ITEM:
        raise ValueError(f"{stage} has unknown keys {sorted(map(str, unknown))}")
    path, md5 = str(item["path"]), str(item["md5"])
    if item.get("hash") != "md5" or not _MD5.fullmatch(md5):
        raise ValueError(f"{stage} has no MD5 of {path}")
    return Locked(stage, path, md5, item.get("size"), item.get("nfiles"))


def check_entries(
    steps: Mapping[str, Step], entries: Mapping[str, Entry], params: Mapping[str, Any]
) -> Iterator[Check]:
    """Yield a check for each stage of the pipeline."""
    for name, step in steps.items():
        if name not in entries:
            yield missing(GROUP, name, "it never ran here", "make repro")
            continue
        found = [*_differences(step, entries[name], params)]
        yield from found or [passed(GROUP, name)]
    for name in sorted(entries.keys() - steps.keys()):
        yield missing(
            GROUP, name, "dvc.yaml has no such stage", "git diff dvc.yaml; nothing, if it ran with other networks"
        )


def _differences(step: Step, entry: Entry, params: Mapping[str, Any]) -> Iterator[Check]:
    if entry.cmd.split() != step.cmd.split():
        yield failed(GROUP, step.name, f"it ran as {' '.join(entry.cmd.split())}, which dvc.yaml does not say", _RERUN)
    for kind, locked, wanted in (("input", entry.deps, step.deps), ("output", entry.outs, step.outs)):
        for path in sorted({item.path for item in locked} ^ set(wanted)):
            side = "dvc.yaml alone" if path in wanted else "dvc.lock alone"
            yield failed(GROUP, step.name, f"{side} has the {kind} {path}", _RERUN)
    for key in sorted({*entry.params, *step.params}):
        if (reason := _value(key, step, entry, params)) is not None:
            yield failed(GROUP, f"{step.name}: {key}", reason, _RERUN)


def _value(key: str, step: Step, entry: Entry, params: Mapping[str, Any]) -> str | None:
    """Return how a parameter differs, or nothing."""
    from enginewright.explaining.values import leaves

    if key not in entry.params or key not in step.params:
        return f"{'dvc.lock' if key in entry.params else 'dvc.yaml'} alone names it"
    try:
        now = value_at(params, key)
    except KeyError:
        return "params.yaml does not have it"
    rows = [f"{name}: ran with {old}, params.yaml says {new}" for name, old, new in leaves(entry.params[key], now)]
    return "; ".join(rows) or None
