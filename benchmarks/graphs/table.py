"""The rows as Markdown, a table for each network, the fastest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEADS = ("graph", "nodes", "initializers, MB", "file, MB", "ONNX Runtime, CPU, ms", "kept", "layers", "engine, MB")


def table(found: Mapping[str, Any]) -> str:
    """Return Markdown of what was measured."""
    lines = [f"Commit {found['commit']}, {found['hardware']}, {found['rounds']} rounds in turns; medians."]
    for network in dict.fromkeys(row["network"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["network"] == network]
        rows.sort(key=lambda row: row["ms"]["median"])
        lines += ["", f"## {network}", "", f"| {' | '.join(_HEADS)} |", f"|{' --- |' * len(_HEADS)}"]
        lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
        lines += _reasons(rows)
    return "\n".join([*lines, ""])


def _cells(row: Mapping[str, Any]) -> list[str]:
    engine, kept = row["engine"], row["kept"]
    return [
        f"**{row['name']}**" if row["ours"] else row["name"],
        f"{row['nodes']:,}",
        f"{row['initializer_bytes'] / 1e6:.2f}",
        f"{row['bytes'] / 1e6:.2f}",
        f"{row['ms']['median']:.0f}",
        f"{kept['common']:,} of {kept['original']:,}",
        f"{engine['layers']:,}" if "layers" in engine else "none",
        f"{engine['bytes'] / 1e6:.1f}" if "bytes" in engine else "none",
    ]


def _reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    missing = [f"- {row['name']}, no engine: {row['engine']['reason']}" for row in rows if "reason" in row["engine"]]
    return ["", *missing] if missing else []
