"""Memory that was freed stays with the process: tensors of one run have the sizes of the last one's.

By default glibc gives each block of 32 MB or more back when it is freed, and the kernel clears every page of the next
one anew. For LightGlue at 1,024 keypoints that was half of the kernel's time in export and cast: benchmarks/README.md
has the figures.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt (malloc.h)."""

_NEVER = 2**31 - 1


def keep_freed() -> None:
    """Let this process and its forks keep what they free; on a system without glibc nothing changes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _NEVER)
