"""Python looks for cyclic garbage each time some hundred objects were made.

Importing torch and ModelOpt makes half a million that all stay; benchmarks/README.md has what looking at them takes.
"""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Let this process look after a hundred thousand new objects, and at old ones after fifty such looks."""
    gc.set_threshold(100_000, 50, 100)
