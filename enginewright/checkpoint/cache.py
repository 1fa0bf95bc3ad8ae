"""The download cache: entries named after what they must be, shared by stages, runs and checkouts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enginewright.progress import progress
from enginewright.temporaries import clear_leftovers

MAX_BYTES = 4 * 1024**3
"""No checkpoint may be larger (4 GiB): the guard against endless downloads and zip bombs."""


def cache_folder() -> Path:
    """Return the folder named by ENGINEWRIGHT_CACHE, or else `.cache/downloads` under the current one."""
    return Path(os.environ.get("ENGINEWRIGHT_CACHE") or ".cache/downloads")


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Hold the lock of one cache entry, so that stages side by side fetch it once; remove what killed ones left.

    The system frees the lock when its holder ends, however it ends.
    """
    entry.parent.mkdir(parents=True, exist_ok=True)
    with entry.with_name(f".{entry.name}.lock").open("w") as handle:
        with progress(f"waiting for another download of {entry.name}"):
            fcntl.flock(handle, fcntl.LOCK_EX)
        clear_leftovers(entry.parent)
        yield
