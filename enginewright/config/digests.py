"""Digests that tie params.yaml to the conf/ it was composed from. Standard library only: every stage calls them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def conf_sha256(conf: Path) -> str:
    """Return the SHA-256 over the names and contents of all YAML files below `conf`."""
    digest = hashlib.sha256()
    for path in sorted(conf.rglob("*.yaml"), key=lambda found: found.relative_to(conf).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(conf).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def values_sha256(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain configuration values, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
