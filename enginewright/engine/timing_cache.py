"""Timing caches of the full TensorRT: kept in a folder, keyed by builder version and GPU, pinned by digest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from enginewright.artifacts import write_bytes
from enginewright.engine.gpu import Gpu
from enginewright.errors import BuildError
from enginewright.input_file import read_input


def cache_path(folder: Path, version: str, gpu: Gpu) -> Path:
    """Return where the cache for this builder version and this GPU lies: timings hold for nothing else."""
    name = re.sub(r"[^A-Za-z0-9.]+", "_", f"{version}_{gpu.name}_sm{gpu.compute_capability}")
    return folder / f"{name}.timing_cache"


def read_cache(path: Path, sha256: str | None) -> bytes | None:
    """Return the cache at `path`, or None where there is none yet and none is pinned.

    Raises:
        BuildError: if `sha256` pins a cache that is missing or has other bytes.
    """
    try:
        data = read_input(path)
    except FileNotFoundError:
        data = None
    except OSError as error:
        raise BuildError(
            f"the timing cache {path.name} cannot be read: {error}",
            expected="a file of this builder, or none",
            cure="delete it, or name another folder in build.timing_cache",
        ) from error
    found = None if data is None else hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise BuildError(
            "the timing cache is not the one that is pinned",
            expected=f"SHA-256 {sha256}",
            got=f"SHA-256 {found}" if found else f"no {path.name}",
            cure="restore that cache, set build.timing_cache_sha256 to this one's digest, or leave it out",
        )
    return data


def keep_cache(path: Path, data: bytes, pinned: bool) -> str:
    """Write the cache after a build, atomically, and return its SHA-256.

    A pinned cache stays as it is, since the next build wants the same bytes; what it has grown to is written beside
    it, with the suffix `.grown`, for whoever wants to pin that.
    """
    write_bytes(path.with_suffix(".grown") if pinned else path, data)
    return hashlib.sha256(data).hexdigest()
