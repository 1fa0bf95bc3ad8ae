"""dvc.lock, which DVC writes in place: a kill at that moment leaves it empty or cut short, and DVC refuses it.

Nothing is lost with it. What was built lies in DVC's cache, and the run-cache knows from which inputs: any older
dvc.lock, even none, leads to the same artifacts without running a stage again.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from enginewright.artifacts import write_bytes
from enginewright.config.yaml_text import load_yaml
from enginewright.lineage.commits import file_at
from enginewright.lineage.locks import LOCKS

KEPT = Path(".cache/locks")
"""Copies of the lock files, whole, as the last `make repro` found them."""


def mend_locks() -> list[str]:
    """Replace each lock file that is not whole by the newest whole one, and say so. Keep copies of those that are."""
    return [told for name in LOCKS if (told := _mended(Path(name)))]


def _mended(path: Path) -> str | None:
    if not path.is_file():
        return None
    data, kept = path.read_bytes(), _kept(path)
    if data == kept:
        return None
    if is_whole(data):
        write_bytes(KEPT / path, data)
        return None
    for origin, older in (("the last make repro", kept), ("the last commit", file_at(Path(), "HEAD", f"./{path}"))):
        if older is not None and is_whole(older):
            write_bytes(path, older)
            return f"{path} was cut short by a killed run: the one of {origin} takes its place"
    path.unlink()
    return f"{path} was cut short by a killed run, and there is no other: it is written anew"


def is_whole(data: bytes) -> bool:
    """Return whether DVC would take the bytes as a lock file; cut at the end of a line it may, which does no harm."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # type: ignore[import-untyped]
    from voluptuous import Invalid

    try:
        value = COMPILED_LOCKFILE_SCHEMA(load_yaml(data))
    except (yaml.YAMLError, Invalid):
        return False
    return "stages" in value


def _kept(path: Path) -> bytes | None:
    return (KEPT / path).read_bytes() if (KEPT / path).is_file() else None
