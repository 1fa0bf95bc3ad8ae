"""The rows of a run on a GPU as a table for people, under a line that says where it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEADS = (
    "network",
    "LayerNorm",
    "precision",
    "graph MB",
    "matches kept",
    "share",
    "verdict",
    "rehearsed on a CPU",
    "ranges on a CPU",
    "overflowing on the GPU",
    "ms",
)


def table(rows: Sequence[Mapping[str, Any]], where: Mapping[str, Any]) -> str:
    """Return Markdown: one row a variant; below, why each is `failed`, `refused` or `not_run`, and what stood in."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|{' --- |' * len(_HEADS)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    reasons = [f"- {_title(row)}: {reason}" for row in rows if (reason := _reason(row))]
    facts = ", ".join(f"{key} {value}" for key, value in where.items())
    return "\n".join([facts + ".", "", *lines, "", *reasons, ""])


def _cells(row: Mapping[str, Any]) -> list[str]:
    gpu, ranges = row["gpu"], row.get("ranges")
    ran = "common" in gpu
    return [
        row["network"],
        row["form"],
        row["precision"],
        f"{row['bytes'] / 1e6:.1f}" if "bytes" in row else "—",
        f"{gpu['common']:,} of {gpu['original']:,}" if ran else "—",
        _share(gpu) if ran else "—",
        "refused" if row["status"] == "refused" else gpu["verdict"].replace("_", " "),
        _share(row["rehearsed"]) if "rehearsed" in row else "—",
        f"{ranges['verdict']}, {ranges['faulty']} faulty" if ranges else "—",
        str(len(gpu["overflow"])) if ran else "—",
        f"{gpu['latency_ms']:.2f}" if ran else "—",
    ]


def _share(kept: Mapping[str, Any]) -> str:
    return f"{kept['common'] / kept['original']:.4f}" if kept["original"] else "—"


def _title(row: Mapping[str, Any]) -> str:
    return f"{row['network']}, {row['form']}, {row['precision']}"


def _reason(row: Mapping[str, Any]) -> str:
    told = row["reason"] if row["status"] == "refused" else row["gpu"]["reason"]
    ranges = row.get("ranges", {})
    flagged = f"ranges: {ranges['reason']}" if ranges.get("reason") else ""
    widened = row["gpu"].get("in_float32", [])
    stood_in = f"in float32, for want of a kernel: {', '.join(widened)}" if widened else ""
    return "; ".join(" ".join(text.split()) for text in (told, flagged, stood_in) if text)
