"""Python looks for cyclic garbage each time some hundred objects were made, and importing torch makes half a million.

None of those is garbage, and looking takes a fifth of the import (benchmarks/README.md).
"""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Let this process look after a hundred thousand new objects, and at old ones after fifty such looks."""
    gc.set_threshold(100_000, 50, 100)
