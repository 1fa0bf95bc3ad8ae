"""What is kept of a variant beside its experiment: small outputs in the user's cache, metrics and log of a failure."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes
from enginewright.sweeping.jobs import Result
from enginewright.sweeping.plan import Plan
from enginewright.sweeping.store import SMALL_BYTES, Store


class Keeper:
    """Keeps files of variants below `folder`: failed/<variant>/metrics/... and logs/<variant>.log."""

    def __init__(self, folder: Path, store: Store, plan: Plan, fetch_all: bool) -> None:
        self._folder, self._store, self._plan = folder, store, plan
        self._most = float("inf") if fetch_all else SMALL_BYTES

    def __call__(self, name: str, entries: Mapping[str, Mapping[str, Any]], result: Result | None) -> None:
        """Keep what is left of a variant that is settled; what an earlier sweep left of it goes."""
        shutil.rmtree(self._folder / "failed" / name, ignore_errors=True)
        (self._folder / "logs" / f"{name}.log").unlink(missing_ok=True)
        self._store.bring(entries.values(), self._most)
        if result is not None:
            self._keep_failed(name, entries, result)

    def _keep_failed(self, name: str, entries: Mapping[str, Mapping[str, Any]], result: Result) -> None:
        found = dict(result.left)
        for stage in self._plan.outlines[name].stages:
            for path in stage.metrics:
                text = self._store.text(entries[stage.name], path) if stage.name in entries else None
                if text is not None:
                    found[path] = text
        for path, text in found.items():
            write_bytes(self._folder / "failed" / name / path, text.encode())
        write_bytes(self._folder / "logs" / f"{name}.log", result.log.encode())
