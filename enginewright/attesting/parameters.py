"""Parameters as a statement tells them: whole, but for what only says where something lay on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

_PATHS = ("path", "folder", "watch", "timing_cache")
"""Keys whose values are paths."""


def told(values: Any, key: str = "") -> Any:
    """Return `values` without folders outside the repository and without the query of an address."""
    if isinstance(values, Mapping):
        return {name: told(value, str(name)) for name, value in values.items()}
    if isinstance(values, list):
        return [told(value, key) for value in values]
    if isinstance(values, str) and key in _PATHS:
        return _path(values)
    return address(values) if isinstance(values, str) and key == "url" else values


def _path(text: str) -> str:
    path = PurePath(text)
    inside = not path.is_absolute() and not text.startswith("~") and ".." not in path.parts
    return text if inside else f"(outside)/{path.name}"


def address(text: str) -> str:
    """Return an address without user, query and fragment, which may be secrets."""
    parts = urlsplit(text)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
