"""Everything that finished runs wrote, experiments too: the run-cache names it, and `dvc push` leaves it behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc_data.hashfile.hash_info import HashInfo

from enginewright.config.yaml_text import load_yaml


def push_finished(repo: Repo, remote: str) -> int:
    """Push what the outputs of every run in the run-cache hold, as far as the cache has it; return how many objects."""
    objects = [HashInfo("md5", md5) for md5 in dict.fromkeys(_outputs(repo)) if repo.cache.local.exists(md5)]
    return len(repo.cloud.push(objects, remote=remote).transferred)


def _outputs(repo: Repo) -> Iterator[str]:
    for path in sorted(Path(repo.stage_cache.cache_dir).glob("??/*/*")):
        if path.suffix != ".tmp":
            entry = load_yaml(path.read_text(encoding="utf-8")) or {}
            yield from (out["md5"] for out in entry.get("outs", []) if "md5" in out)
