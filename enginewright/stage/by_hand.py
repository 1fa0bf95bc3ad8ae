"""One stage by hand: `python -m stages.export network=disk export.opset=18`.

Inputs are read where DVC keeps them, or from `in.NAME=PATH`; outputs go below scratch/, so nothing that DVC tracks
is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.composed import plain
from enginewright.config.network import check_name
from enginewright.config.resolvers import CONF
from enginewright.errors import ConfigError
from enginewright.stage.commands import files_in, filled, paths_of
from enginewright.stage.entry import refuse_missing
from enginewright.stage.stage import Stage

SCRATCH = Path("scratch")
_GATE = "preflight"
"""The input that says whether a graph may go on: no stage needs it to do its work."""


def stage_by_hand(name: str, overrides: list[str], sections: tuple[str, ...]) -> Stage:
    """Return the stage for `network=...` and Hydra overrides, with its outputs below scratch/.

    Raises:
        ConfigError: if no network is named, an override does not fit, or an input is missing.
    """
    stage = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"][name]
    network, inputs, rest = _split(name, overrides, one="do" in stage)
    config = composed_for(network, rest)
    usual, results = files_in(filled(stage.get("do", stage)["cmd"], network, _item(stage, name, network, config)))
    if unknown := sorted(set(inputs) - set(usual)):
        raise ConfigError("unknown inputs", expected=[f"in.{key}=PATH" for key in usual], got=unknown)
    found = _without_gate(usual | inputs, inputs)
    outputs = {key: SCRATCH / name / path for key, path in results.items()}
    refuse_missing(found)
    for path in outputs.values():
        print(f"{name} writes {path}", file=sys.stderr)
    return Stage(network, config["networks"], sections, found, outputs)


def _without_gate(found: Mapping[str, Path], given: Mapping[str, Path]) -> dict[str, Path]:
    """Leave out what preflight found where it was not asked, or was asked of another graph than the one given here."""
    asked = _GATE in given or (not given and _GATE in found and found[_GATE].exists())
    return {key: path for key, path in found.items() if key != _GATE or asked}


def _split(name: str, overrides: list[str], one: bool) -> tuple[str, dict[str, Path], list[str]]:
    """Split into the network (empty for a stage that covers them all), the inputs and the overrides for Hydra."""
    networks = [item.removeprefix("network=") for item in overrides if item.startswith("network=")]
    if len(networks) != int(one):
        raise ConfigError(
            "a stage by hand is for one network" if one else f"{name} covers all networks",
            expected=f"python -m stages.{name}" + " network=disk export.opset=18" * one,
            got=" ".join(overrides) or "no arguments",
        )
    for network in networks:
        _refuse_list(name, network)
        check_name(network)
    inputs = paths_of([item.removeprefix("in.") for item in overrides if item.startswith("in.")])
    rest = [item for item in overrides if not item.startswith(("network=", "in."))]
    return "".join(networks), inputs, rest


def _refuse_list(name: str, network: str) -> None:
    """Refuse `network=[disk]`, which `dvc exp run` takes: a stage by hand is for one network."""
    if network[:1] + network[-1:] == "[]":
        first = network[1:-1].partition(",")[0].strip() or "disk"
        raise ConfigError(
            "a stage by hand is for one network, and takes its name alone",
            expected=f"network={first}",
            got=f"network={network}",
            cure=f"python -m stages.{name} network={first}, without brackets",
        )


def composed_for(network: str, overrides: list[str]) -> dict[str, Any]:
    """Return the configuration of the default networks, the named one, and those that it is made of or fed by.

    Raises:
        ConfigError: if the network is not there, or an override does not fit.
    """
    chosen = [*plain([])["networks"], *([*_needed(network), network] if network else [])]
    config = plain([f"network=[{','.join(dict.fromkeys(chosen))}]", *overrides])
    if network and network not in config["networks"]:
        raise ConfigError("unknown network", expected=sorted(config["networks"]), got=network)
    return config


def _needed(network: str) -> Iterator[str]:
    """Yield the networks that a conf file names outright as its extractor and matcher."""
    path = CONF / "network" / f"{network}.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in (values.get("extractor"), values.get("model", {}).get("matcher")):
        if isinstance(name, str) and name != network and (CONF / "network" / f"{name}.yaml").is_file():
            yield from (*_needed(name), name)


def _item(stage: Mapping[str, Any], name: str, network: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what dvc.yaml calls `item`: the network's entry in the list that the stage runs over."""
    if "foreach" not in stage:
        return {}
    items: Mapping[str, Any] = config[stage["foreach"][2:-1]]
    if network not in items:
        raise ConfigError(
            f"{name} is no stage of {network}",
            expected=f"one of {', '.join(items) or 'no network of this configuration'}",
            got=network,
            cure="dvc.yaml shows which networks each stage runs over",
        )
    found: Mapping[str, Any] = items[network]
    return found
