"""Planners in clones of their own, side by side: the outline of every variant before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from enginewright.artifacts import read_json, write_json
from enginewright.errors import DataError, SweepError
from enginewright.progress import progress
from enginewright.sweeping.axes import Variant
from enginewright.sweeping.outline import Outline
from enginewright.sweeping.process import Setting, WorkerLost, WorkerProcess


def outlines_of(variants: Sequence[Variant], setting: Setting, kept: Path, planners: int) -> dict[str, Outline]:
    """Return the outline of each variant by its name.

    kept: folder of outlines from before: one follows from the tree and the overrides alone.

    Raises:
        SweepError: if a planner does not go on; what the configuration has wrong is part of an outline.
    """
    found = {variant.name: _kept(kept, setting.tree, variant) for variant in variants}
    missing = [variant for variant in variants if found[variant.name] is None]
    shares = [missing[number::planners] for number in range(min(planners, len(missing)))]
    said = f"composing {len(missing)} of {len(variants)} variants"
    with progress(said), ThreadPoolExecutor(max(1, planners)) as pool:
        for share, outlines in zip(shares, pool.map(lambda share: _planned(share, setting), shares), strict=True):
            for variant, outline in zip(share, outlines, strict=True):
                _keep(kept, setting.tree, variant, outline)
                found[variant.name] = outline
    return {name: outline for name, outline in found.items() if outline}


def _planned(variants: Sequence[Variant], setting: Setting) -> list[Outline]:
    worker = WorkerProcess(replace(setting, keep=False), "enginewright.sweeping.planner")
    try:
        worker.start()
        return [Outline.from_plain(worker.ask({"overrides": list(variant.overrides)})) for variant in variants]
    except WorkerLost as error:
        raise SweepError("the sweep cannot be planned", got=str(error)) from error
    finally:
        worker.close()


def _kept(folder: Path, tree: str, variant: Variant) -> Outline | None:
    try:
        return Outline.from_plain(read_json(_path(folder, tree, variant)))
    except (DataError, ValueError, TypeError, KeyError):
        return None


def _keep(folder: Path, tree: str, variant: Variant, outline: Outline) -> None:
    if not outline.outside:
        write_json(_path(folder, tree, variant), outline.as_plain())


def _path(folder: Path, tree: str, variant: Variant) -> Path:
    digest = hashlib.sha256("\0".join(variant.overrides).encode()).hexdigest()
    return folder / tree[:12] / f"{digest[:32]}.json"
