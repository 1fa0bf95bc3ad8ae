"""What several runs have in common, so that the page tells it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from enginewright.lineage.values import flat

_TOLD = ("model", "swap", "export", "simplify", "cast", "compare", "build", "match")


@dataclass
class Repeats:
    """What was told already. parts: (name, place) of a run by all that it made of a network. params: of each network,
    the run that was told first and its values.
    """

    parts: dict[str, tuple[str, str]] = field(default_factory=dict)
    params: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def part(self, key: str, name: str, place: str) -> tuple[str, str]:
        """Return the name and place of the run that was told with the same `key`, or nothing if this is the first."""
        first = self.parts.setdefault(key, (name, place))
        return ("", "") if first == (name, place) else first

    def parameters(self, network: str, name: str, values: Mapping[str, Any]) -> str:
        """Return a network's parameters as YAML: all of the first run, of later ones what differs from it."""
        told = {section: values[section] for section in _TOLD if section in values}
        own = dict(flat(told))
        first, known = self.params.setdefault(network, (name, own))
        if first == name:
            return yaml.safe_dump(told, sort_keys=False, width=100) if told else ""
        changed = [f"{key}: {value}" for key, value in own.items() if known.get(key) != value]
        changed += [f"{key}: not set" for key in known if key not in own]
        return "\n".join([f"as of {first}" + (", but" if changed else ""), *changed])
