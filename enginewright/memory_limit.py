"""A bound on what reading one file may take: a bomb becomes an error in place of the end of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SLACK = 2 << 30
"""Bytes that threads, caches and imports may take besides."""


@contextmanager
def at_most_more(size: int) -> Iterator[None]:
    """Let this process take at most `size` bytes, and 2 GiB of slack, more than it has; then memory is refused.

    What asks for more sees a MemoryError, or the error that a library makes of it. On systems that do not count so
    (others than Linux) nothing is bound.
    """
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = _in_use() + size + _SLACK
    except (ImportError, AttributeError, OSError, ValueError, StopIteration):
        yield
        return
    lower = soft if soft != resource.RLIM_INFINITY and soft < wanted else wanted
    resource.setrlimit(resource.RLIMIT_DATA, (lower, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _in_use() -> int:
    """Return the bytes that the kernel counts against the limit."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmData:"))) << 10


def memory_left() -> int:
    """Return the bytes of memory that this machine can still give, half a TiB where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))) << 10
    except (OSError, ValueError, StopIteration):
        return 1 << 39
