"""What a stage wrote when it last ran on the same inputs: then DVC restores it and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency  # type: ignore[import-untyped]
from dvc.stage import PipelineStage  # type: ignore[import-untyped]
from dvc.stage.serialize import to_single_stage_lockfile  # type: ignore[import-untyped]
from dvc.utils import dict_sha256  # type: ignore[import-untyped]
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta

from enginewright.config.yaml_text import load_yaml
from enginewright.explaining.places import Cache


def restorable(stage: PipelineStage, hashes: Mapping[str, str], cache: Cache) -> dict[str, str] | None:
    """Return the outputs, hash by path, that DVC restores for inputs of these hashes; None if it would run the stage.

    hashes: of every dependency by the path that dvc.yaml writes. The stage is changed in memory: load it anew after.
    """
    entry = _newest(Path(stage.repo.stage_cache.cache_dir), _key(stage, hashes))
    outs = {item["path"]: item["md5"] for item in entry.get("outs", [])}
    return outs if outs and all(map(cache.has, outs.values())) else None


def _key(stage: PipelineStage, hashes: Mapping[str, str]) -> str:
    """Return the run-cache's key: the record of the stage with its outputs' paths alone, sizes left out."""
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            dep.hash_info = dep.get_hash()
        else:
            dep.hash_info, dep.meta = HashInfo("md5", hashes[dep.def_path]), Meta()
    record = to_single_stage_lockfile(stage) | {"outs": sorted(out.def_path for out in stage.outs)}
    return str(dict_sha256(record, exclude=[Meta.PARAM_SIZE, Meta.PARAM_NFILES]))


def _newest(folder: Path, key: str) -> dict[str, Any]:
    entries = [path for path in (folder / key[:2] / key).glob("*") if path.suffix != ".tmp"]
    if not entries:
        return {}
    newest = max(entries, key=lambda path: path.stat().st_mtime)
    found: dict[str, Any] = load_yaml(newest.read_text(encoding="utf-8")) or {}
    return found
