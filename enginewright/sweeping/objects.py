"""Where DVC keeps the objects that an entry of dvc.lock names, in a cache on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = ".dir"


def object_path(cache: Path, md5: str) -> Path:
    """Return where the cache keeps an object."""
    return cache / "files" / "md5" / md5[:2] / md5[2:]


def holds(cache: Path, entry: Mapping[str, Any]) -> bool:
    """Return whether the cache has every output of the entry, whole folders too."""
    return all(_has(cache, str(out.get("md5", ""))) for out in entry.get("outs", ()))


def _has(cache: Path, md5: str) -> bool:
    found = object_path(cache, md5)
    if not md5 or not found.is_file():
        return False
    if not md5.endswith(_FOLDER):
        return True
    rows = json.loads(found.read_text(encoding="utf-8"))
    return all(object_path(cache, row["md5"]).is_file() for row in rows)
