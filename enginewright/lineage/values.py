"""Nested values, of parameters and of metric files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flat(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield leaves with their dotted names, behind `name` if given; a list is a leaf."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, values
