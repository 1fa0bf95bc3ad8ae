"""The fastest graph comes first, the pipeline's stand out, and a graph without an engine says why."""

from __future__ import annotations

from typing import Any

from benchmarks.graphs.table import table


def row(name: str, ms: float, ours: bool = False, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "network": "disk_lightglue",
        "ours": ours,
        "nodes": 1234,
        "initializer_bytes": 45_000_000,
        "bytes": 46_000_000,
        "kept": {"original": 2755, "common": 2755},
        "ms": {"median": ms},
        "engine": {"layers": 2209, "bytes": 49_300_000},
    } | changed


def found(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"commit": "abc", "hardware": "2 CPU cores, no GPU", "rounds": 7, "rows": list(rows)}


def test_a_table_is_in_order_of_time_and_marks_ours() -> None:
    text = table(found(row("dynamo", 800.0), row("pipeline", 700.0, ours=True)))
    line = "| **pipeline** | 1,234 | 45.00 | 46.00 | 700 | 2,755 of 2,755 | 2,209 | 49.3 |"
    assert line in text
    assert text.index(line) < text.index("| dynamo |")
    assert text.startswith("Commit abc, 2 CPU cores, no GPU, 7 rounds in turns; medians.")


def test_each_network_has_a_table_of_its_own() -> None:
    text = table(found(row("a", 1.0), row("b", 2.0, network="disk")))
    assert text.index("## disk_lightglue") < text.index("| a |") < text.index("## disk\n") < text.index("| b |")


def test_a_graph_without_an_engine_says_why() -> None:
    text = table(found(row("fused", 1.0, engine={"reason": "no kernel of Attention"})))
    assert "| none | none |" in text
    assert "- fused, no engine: no kernel of Attention" in text
