"""What can make DVC run a stage, and what becomes of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

_SHORT = 7
"""Digits of a hash that tell two states of a file apart, as git shows them."""


class Kind(Enum):
    """What changed, as it is called where it is told."""

    parameter = "parameter"
    file = "file"
    tool = "tool"
    command = "command"
    output = "output"
    new = "new"


class Outcome(Enum):
    """What becomes of a stage in the next `dvc repro`, or became of it between two locks."""

    runs = "runs"
    restored = "comes from the cache"
    follows = "runs if what is before it writes other bytes"
    ran = "ran"


@dataclass(frozen=True)
class Change:
    """One thing that differs. what: which one, a key, a path or a tool. how: from what to what, in words."""

    kind: Kind
    what: str
    how: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.how}".rstrip()


@dataclass(frozen=True)
class Case:
    """A stage that does not stay as it is.

    changes: what differs by itself. follows: the stages before it whose outputs differ or may differ.
    """

    stage: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    follows: tuple[str, ...] = ()


Cases = Mapping[str, Case]
"""Cases by the stages' names, each after those that it follows."""


def short(digest: str) -> str:
    """Return the first digits of a hash."""
    return digest.removesuffix(".dir")[:_SHORT]


def as_words(value: Any) -> str:
    """Return a value as it is told: none, true, a list in brackets, a mapping as `key value` pairs."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {as_words(item)}" for key, item in value.items()) or "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_words, value))}]"
    return str(value)


def arrow(old: Any, new: Any) -> str:
    """Return `old -> new`."""
    return f"{as_words(old)} -> {as_words(new)}"


def roots(cases: Cases, stage: str) -> tuple[Change, ...]:
    """Return what a stage runs for in the end: its own changes, and those of every stage that it follows."""
    seen: dict[str, None] = {}
    pending = [stage]
    while pending:
        name = pending.pop()
        if name in cases and name not in seen:
            seen[name] = None
            pending += cases[name].follows
    return tuple(dict.fromkeys(change for name in seen for change in cases[name].changes))
