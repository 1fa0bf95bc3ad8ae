"""Shared imports begin with `make repro`, while DVC itself starts.

`python -m enginewright.warm.ahead PROCESS [STAGE...]`: PROCESS is the one that will be DVC, and is to run all stages or
those named and what they need. This becomes the server with the packages of the stages that look due, and goes where
none does. That is a guess from dvc.lock without hashing anything: a wrong one costs an import that nobody uses, or one
that is made when a stage asks for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from enginewright.config.choices import Exporter, Precision, Simplifier
from enginewright.config.quantised import reduced_types_of
from enginewright.config.yaml_text import load_yaml
from enginewright.exporting import packages as exporter_packages
from enginewright.stage.commands import value_at
from enginewright.warm.early import ALL, NEEDS, ONNXSIM
from enginewright.warm.wire import listening_for

Entry = Mapping[str, Any]
PARAMETERS = "params.yaml"
LOCK = "dvc.lock"
_MODELOPT = ("torch", "sympy", "lief", "onnx_graphsurgeon", "onnxscript.optimizer", "onnxslim")
"""Packages that ModelOpt imports, which the cast stage needs where types change; not ONNX Runtime (early.py)."""


def due(parameters: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[str]:
    """Return the stages whose recorded parameters are others now or whose outputs are missing, then all after them.

    entries: those of dvc.lock.
    """
    found = [name for name, entry in entries.items() if _differs(parameters, entry) or _lacks_outputs(entry)]
    while True:
        stale = {path for name in found for path in _paths(entries[name], "outs")}
        after = [name for name, entry in entries.items() if name not in found and stale & _paths(entry, "deps")]
        if not after:
            return found
        found += after


def needed(targets: Iterable[str], entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries of stages and of all that those need."""
    makers = {path: name for name, entry in entries.items() for path in _paths(entry, "outs")}
    found, waiting = set(), [name for name in targets if name in entries]
    while waiting:
        name = waiting.pop()
        found.add(name)
        makes = {makers[path] for path in _paths(entries[name], "deps") & makers.keys()}
        waiting += makes - found
    return {name: entry for name, entry in entries.items() if name in found}


def _paths(entry: Entry, kind: str) -> set[str]:
    return {row["path"] for row in entry.get(kind, ())}


def _lacks_outputs(entry: Entry) -> bool:
    return not all(Path(path).exists() for path in _paths(entry, "outs"))


def _differs(parameters: Mapping[str, Any], entry: Entry) -> bool:
    recorded = entry.get("params", {}).get(PARAMETERS, {})
    try:
        return any(value_at(parameters, key) != value for key, value in recorded.items())
    except KeyError:
        return True


def packages_due(folder: Path, targets: Sequence[str] = ()) -> list[str]:
    """Return the packages that the stages due in a checkout import, the first stage's first.

    targets: stages; those that neither are among them nor needed by them are left out. All stages by default.
    """
    parameters, lock = (_read(folder / name) for name in (PARAMETERS, LOCK))
    entries = lock.get("stages", {})
    names = (name.partition("@") for name in due(parameters, needed(targets, entries) if targets else entries))
    networks = parameters.get("networks", {})
    wanted = (package for stage, _, network in names for package in packages_of(stage, networks.get(network)))
    return [*dict.fromkeys(wanted)]


def packages_of(stage: str, network: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the packages that a stage imports, whether it asks the server for them or finds them there.

    network: its configuration in params.yaml, None for a stage without a network.
    """
    if stage == "export" and network:
        return (*ALL, *exporter_packages(Exporter[network["export"]["exporter"]]))
    return (*ALL, *NEEDS[stage], *_configured(stage, network or {})) if stage in NEEDS else ()


def _configured(stage: str, network: Mapping[str, Any]) -> tuple[str, ...]:
    """Return those that a stage imports in some configurations only."""
    if stage == "simplify" and network.get("simplify", {}).get("tool") == Simplifier.onnxsim.name:
        return ONNXSIM
    cast = network.get("cast") if stage == "cast" else None
    return _MODELOPT if cast and reduced_types_of(Precision[cast["precision"]], None) else ()


def _read(path: Path) -> dict[str, Any]:
    return load_yaml(path.read_bytes()) or {} if path.exists() else {}


def main(owner: str, targets: Sequence[str]) -> None:
    """Become the server of the process `owner`, where stages are due and no stage has started one yet."""
    packages = packages_due(Path(), targets)
    if not packages:
        return
    listening = listening_for(int(owner))
    listening.set_inheritable(True)
    words = ["-m", "enginewright.warm.server", str(listening.fileno()), owner, *packages]
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
