"""YAML by the safe loader, in C where it is built: a params.yaml or dvc.lock takes pure Python ten times as long."""

from __future__ import annotations

import re
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 50
"""Values in values; the deepest here are seven."""

_LEAD = re.compile(r"^[ \t?:-]*", re.MULTILINE)
"""The start of a line, where each space or sign can open one more value at most."""

_EACH = 4
"""More values, or characters in values, than this for each character of a text come of aliases to aliases alone."""


class Swollen(yaml.YAMLError):
    """A text that holds far more than it spells out, or is nested deeper than anybody writes."""


def load_yaml(text: str | bytes) -> Any:
    """Return what the text holds, None for an empty one.

    Raises:
        yaml.YAMLError: if it is no YAML, is nested too deeply, or holds far more than it spells out: a few lines of
            aliases would otherwise fill the memory of whoever writes the value out again.
    """
    refuse_deep(text)
    try:
        value = yaml.load(text, Loader=_LOADER)  # noqa: S506 - the safe loader
    except (ValueError, TypeError) as error:  # a date that is none; a key that is a list
        raise yaml.YAMLError(f"it holds what cannot be a value: {type(error).__name__}: {error}") from error
    _refuse_swollen(value, _EACH * len(text) + 64)
    return value


def refuse_deep(text: str | bytes) -> None:
    """Refuse a text whose values are nested deeper than anybody writes: loaders recurse, and the one in C crashes.

    Raises:
        Swollen: if they are.
        yaml.YAMLError: if that cannot be told, since it is no YAML.
    """
    plain = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
    lead = max((len(found[0]) for found in _LEAD.finditer(plain)), default=0)
    if lead <= 2 * _DEEPEST and sum(map(plain.count, "[{")) <= _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise Swollen("it is nested too deeply")


def _refuse_swollen(value: Any, most: int) -> None:
    """Walk the value as a writer would, and stop as soon as it is larger than its text can be."""
    left, waiting = most, [value]
    while waiting:
        item = waiting.pop()
        left -= 1 + (len(item) if isinstance(item, str | bytes) else 0)
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list | set | tuple):
            waiting.extend(item)
        if left < 0 or len(waiting) > most:
            raise Swollen("its aliases make it far larger than it is written")
