"""Which parameters follow from which: `networks.disk.export.opset` from `export.opset`, and so on.

Read from conf/ as it lies here: its interpolations say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.composed import plain, unresolved
from enginewright.config.resolvers import CONF
from enginewright.explaining.values import ABSENT, leaves
from enginewright.lineage.values import flat

Difference = tuple[str, Any, Any]
"""A dotted key, its old and its new value."""

_REFERENCE = re.compile(r"\$\{(\.*)([a-z_]\w*(?:\.\w+)+)\}")
_DERIVED = ("composed.", "torch_networks.", "onnx_networks.", "merged_networks.", "matchers.", "engines.")


def leading(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two contents of params.yaml and does not follow from something else that differs.

    A choice, such as precision=fp16, stands for all values that its file in conf/ sets.
    """
    found = {key: (before, after) for key, before, after in _expanded(old, new) if not key.startswith(_DERIVED)}
    if not found:
        return []
    groups, chosen = _followed_groups(), _chosen(found)
    named = {key.partition(".")[0] for key in found}
    return [
        (key, *values)
        for key, values in found.items()
        if not _origins_of(key) & found.keys()
        and groups.get(key.partition(".")[0]) not in named
        and not _in_choice(key, values[1], chosen)
    ]


def _expanded(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the differences; a network that only one side has is one."""
    for key, before, after in leaves(old, new):
        whole = key.count(".") == 1 and ABSENT in (before, after)
        yield (
            key,
            "absent" if before is ABSENT else before,
            ("added" if whole else after) if after is not ABSENT else "absent",
        )


@cache
def _origins() -> dict[str, list[str]]:
    """Return the keys that each key names. For networks that conf/ does not have by default, * stands for the name."""
    found: dict[str, list[str]] = {}
    texts = ((key, text) for key, text in flat(unresolved()) if isinstance(text, str))
    for key, text in texts:
        parts = key.split(".")
        names = [
            ".".join([*parts[: len(parts) - len(dots)], name] if dots else [name])
            for dots, name in _REFERENCE.findall(text)
        ]
        found.setdefault(key, []).extend(names)
        own = [_any_network(name) for name in names if not name.startswith("networks.") or _same_network(name, key)]
        if key.startswith("networks."):
            found.setdefault(_any_network(key), own)
    return found


def _any_network(key: str) -> str:
    return re.sub(r"^networks\.\w+\.", "networks.*.", key)


def _same_network(one: str, other: str) -> bool:
    return one.split(".")[:2] == other.split(".")[:2]


def _origins_of(key: str) -> set[str]:
    """Return what a key follows from, and what that follows from."""
    found: set[str] = set()
    pending = [key]
    while pending:
        names = set(_named_by(pending.pop())) - found
        found |= names
        pending += names
    return found


def _named_by(key: str) -> Iterable[str]:
    origins = _origins()
    known = any(_same_network(name, key) for name in origins)
    if known or not key.startswith("networks."):
        return origins.get(key, [])
    network = key.split(".")[1]
    return [name.replace("networks.*.", f"networks.{network}.") for name in origins.get(_any_network(key), [])]


@cache
def _followed_groups() -> dict[str, str]:
    """Return the groups whose choice is that of another one: budget follows precision."""
    defaults = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    pairs = [pair for item in defaults if isinstance(item, dict) for pair in item.items()]
    return {group: str(name)[2:-1] for group, name in pairs if str(name).startswith("${")}


def _chosen(found: Mapping[str, tuple[Any, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the values of each group of which another file was chosen, by the key that names the file.

    That key is the first of its group, precision.precision for example.
    """
    files: dict[str, tuple[str, str]] = {}
    for key, (_, new) in found.items():
        group = key.partition(".")[0]
        if key.count(".") == 1 and Path(CONF, group, f"{new}.yaml").is_file():
            files.setdefault(group, (key, str(new)))
    config = _composed(*(f"{group}={name}" for group, (_, name) in files.items())) if files else {}
    return {key: config[group] for group, (key, _) in files.items()}


@cache
def _composed(*choices: str) -> dict[str, Any]:
    return plain(list(choices))


def _in_choice(key: str, value: Any, chosen: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the value is that of the file that was chosen, and not the choice itself."""
    group, _, rest = key.partition(".")
    values = next((found for name, found in chosen.items() if name.startswith(f"{group}.")), {})
    return key not in chosen and rest in values and values[rest] == value
