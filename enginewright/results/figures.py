"""Which figures of a metric file tell something, in the order in which they matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from enginewright.lineage.values import flat

Figures = Mapping[tuple[str, str], Any]
"""Values by (network, figure), the figure as `match.typed.common`."""

ORDER = (
    r"match\..*\.?(matches|common|common_ratio|precision_3px|keypoint_px_max|descriptor_cosine_min)",
    r"compare\..*\.(max_abs|cosine)",
    r"compare\.ranges\..*",
    r"swap\.(layers_swapped|max_abs_diff)",
    r"build\.(engine_mb|layers)",
    r"cast\.(precision|casts|fp32_nodes)",
    r"simplify\.(kept|nodes_after)",
    r"export\.(opset|nodes|layernorm_\w+)",
)
"""What is shown by default; the rest moves with these, or is noise."""

_NOISE = re.compile(r"(^|\.)(seconds|peak_mb|bytes|sha256|reason)($|\.)|sha256")
_VERDICT = re.compile(r"\.(verdict|verdicts\.\w+)$")


def figures_of(files: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Any]:
    """Return every value of DVC's {path: {"data": metrics}}, noise left out."""
    found: dict[tuple[str, str], Any] = {}
    for path, content in files.items():
        network, _, stage = path.removeprefix("metrics/").removesuffix(".json").rpartition("/")
        for key, value in flat(content.get("data", {}), stage):
            if not _NOISE.search(key):
                found[network, key] = value
    return found


def is_verdict(figure: str) -> bool:
    """Return whether a figure is a verdict."""
    return bool(_VERDICT.search(figure))


def rank(figure: str) -> int | None:
    """Return the place of a figure in `ORDER`, None for one that is not shown by default."""
    return next((number for number, pattern in enumerate(ORDER) if re.fullmatch(pattern, figure)), None)
