"""Two JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator

from enginewright.lineage.values import flat


def in_values(old: bytes, new: bytes) -> Iterator[str]:
    """Yield each value that differs, by its dotted key."""
    before, after = dict(flat(json.loads(old))), dict(flat(json.loads(new)))
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'not there')}"
