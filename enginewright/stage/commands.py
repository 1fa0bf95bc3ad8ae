"""A stage's command in dvc.yaml: its templates filled in, and the files that it names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_TEMPLATE = re.compile(r"\$\{([a-z_.0-9]+)\}")
_FILES = ("--in", "--out")


def filled(text: str, network: str, item: Mapping[str, Any]) -> str:
    """Return the text with `${key}` and `${item...}` replaced, as DVC does for one item of a `foreach`.

    Raises:
        KeyError: if the item has no such value.
    """
    return _TEMPLATE.sub(lambda found: str(value_at({"key": network, "item": item}, found[1])), text)


def value_at(values: Any, key: str) -> Any:
    """Return the value at a dotted key.

    Raises:
        KeyError: if there is none.
    """
    for part in key.split("."):
        if not isinstance(values, Mapping) or part not in values:
            raise KeyError(key)
        values = values[part]
    return values


def files_in(command: str) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the input files and the output files of a stage's command, by the names that the stage has for them."""
    words: dict[str, list[str]] = {option: [] for option in _FILES}
    current: list[str] = []
    for word in shlex.split(command):
        current = words.get(word, current)
        if word not in words:
            current.append(word)
    inputs, outputs = (paths_of(words[option]) for option in _FILES)
    return inputs, outputs


def paths_of(pairs: Sequence[str]) -> dict[str, Path]:
    """Return {name: path} of `name=path` arguments."""
    return {name: Path(path) for name, _, path in (pair.partition("=") for pair in pairs)}
