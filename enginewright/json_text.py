"""JSON as this project writes it: one object, finite numbers, each key once, no deeper than Python can go."""

from __future__ import annotations

import json
import math
from typing import Any


def load_object(text: str | bytes) -> dict[str, Any]:
    """Return the object that the text holds.

    Raises:
        ValueError: if it is no JSON, or no object; if a key stands twice, a number is NaN or infinite, or it is nested
            too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"it holds no JSON object but a {type(value).__name__}")  # noqa: TRY004 - as for any other text
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is no finite number")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(names) if names.index(key) < index)
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return found
