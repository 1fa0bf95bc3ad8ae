"""Error curves as a plot file that DVC draws: error against quantile, a line for each output of each artifact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def curves_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the plot points as JSON: objects with `series`, `quantile` (0..1) and `error` (the output's unit)."""
    return (json.dumps(list(rows), indent=1, sort_keys=True) + "\n").encode()
