"""The results of a run as tables for people, one a group: time, distance to the floor, matches kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.latency import spent
from benchmarks.latency.floor import Floor

_HEADS = ("contestant", "precision", "ms", "10 to 90 %", "pairs/s", "x floor", "matches kept", "kernels", "GPU busy ms")
_PEAK = {"float16": "float16_tflops", "bfloat16": "bfloat16_tflops", "float32": "float32_tflops", "tf32": "tf32_tflops"}


def table(found: Mapping[str, Any]) -> str:
    """Return Markdown of the results of a run."""
    where, rows = found["where"], found["rows"]
    versions = ", ".join(f"{package} {version}" for package, version in where["versions"].items())
    head = f"device {where['device']}, driver {where['driver']}, commit {where['commit']}, {versions}."
    peaks = ", ".join(f"{name} {value:.4g}" for name, value in found["peaks"].items() if isinstance(value, float))
    lines = [head, "", f"Measured at most: {peaks}." if peaks else "What the GPU gives at most was not measured.", ""]
    for group in dict.fromkeys(row["group"] for row in rows):
        chosen = [row for row in rows if row["group"] == group]
        lines += [f"## {group}", "", f"| {' | '.join(_HEADS)} |", f"|{' --- |' * len(_HEADS)}"]
        chosen.sort(key=lambda row: row["ms"]["median"] if "ms" in row else float("inf"))
        lines += [f"| {' | '.join(_cells(row, found))} |" for row in chosen]
        lines += [
            "",
            *[f"- {row['name']}: {row['verdict']}: {row['reason']}" for row in chosen if row.get("reason")],
            "",
        ]
    return "\n".join([*lines, *_spent(found)])


def _spent(found: Mapping[str, Any]) -> list[str]:
    """Return where the time of each profiled contestant goes."""
    rows = [row for row in found["rows"] if "ms" in row and found["kernels"].get(row["name"], {}).get("kernels")]
    told = ["## Where the time goes", ""] if rows else []
    for row in rows:
        told += spent.lines(row["name"], found["kernels"][row["name"]], row["ms"]["median"], floor_ms(row, found))
    return told


def _cells(row: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    times, kept, kernels = row.get("ms"), row.get("kept"), found["kernels"].get(row["name"], {})
    return [
        row["name"],
        row["precision"],
        f"{times['median']:.3f}" if times else "not run",
        f"{times['p10']:.3f} to {times['p90']:.3f}" if times else "—",
        f"{row['pairs'] / times['median'] * 1e3:,.0f}" if times else "—",
        _distance(row, found) if times else "—",
        f"{kept['common']:,} of {kept['original']:,}" if kept else "—",
        str(len(kernels["kernels"])) if kernels.get("kernels") else "—",
        f"{kernels['busy_us'] / 1e3:.3f}" if kernels.get("kernels") else "—",
    ]


def floor_ms(row: Mapping[str, Any], found: Mapping[str, Any]) -> float | None:
    """Return the least milliseconds of a row's work on that GPU, or None where its peaks were not measured."""
    facts = found["where"]["floors"].get(f"{row['network']}-{row['keypoints']}-{row['precision']}")
    tf32 = row["precision"] == "float32" and "tf32" in row["name"]
    name = _PEAK["tf32" if tf32 else row["precision"]]
    peaks = found["peaks"]
    if facts is None or name not in peaks:
        return None
    floor = Floor(**facts)
    many = Floor(floor.flops * row["pairs"], floor.weights, floor.io * row["pairs"], floor.tensors * row["pairs"])
    return many.milliseconds(peaks[name], peaks["copy_gb_s"])


def _distance(row: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    floor = floor_ms(row, found)
    return f"{row['ms']['median'] / floor:.1f}" if floor else "—"
