"""Leaf by leaf, how two nested values differ: parameters, and the versions that a probe file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enginewright.explaining.changes import Change, Kind, arrow


class _Absent:
    def __str__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""Stands for a leaf that one side lacks: none is a value."""


def leaves(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (key, old, new) of each leaf that differs; a side that lacks it gives `ABSENT`.

    Equal is what DVC calls equal, 1 and 1.0 too. A mapping beside something else is one leaf: a GPU beside none is one
    difference, not one for each of its facts.
    """
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if old != new:
            yield key, old, new
        return
    for name in dict.fromkeys([*old, *new]):
        inner = f"{key}.{name}" if key else str(name)
        yield from leaves(old.get(name, ABSENT), new.get(name, ABSENT), inner)


def parameter_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return a change for each leaf of two `params` entries, which map dotted keys to values or to sections.

    A section that only one side has is one change.
    """
    found = []
    for key in dict.fromkeys([*old, *new]):
        if key in old and key in new:
            found += [Change(Kind.parameter, name, arrow(*pair)) for name, *pair in leaves(old[key], new[key], key)]
        else:
            found.append(Change(Kind.parameter, key, "is gone" if key in old else "is new"))
    return found
