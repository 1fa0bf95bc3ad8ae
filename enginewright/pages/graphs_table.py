"""What each step did to the graph: nodes, LayerNorms, casts, types of its tensors, and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enginewright.report.collect import Metrics
from enginewright.report.words import NOTHING, count, megabytes

COLUMNS = ("nodes", "LayerNorm", "casts", "nodes kept in fp32", "types", "size")


@dataclass(frozen=True)
class Step:
    """A graph or the engine after a step; cells as `COLUMNS`."""

    name: str
    cells: tuple[str, ...]


def steps_of(metrics: Mapping[str, Metrics], record: Mapping[str, Any]) -> list[Step]:
    """Return a row for each graph of a network and for its engine, those alone that left figures."""
    exported, simplified = metrics.get("export"), metrics.get("simplify")
    typed, built = metrics.get("cast"), metrics.get("build")
    steps = [
        Step("exported", _exported(exported)) if exported is not None else None,
        Step("simplified", _simplified(simplified)) if simplified is not None else None,
        Step("typed", _typed(typed, record)) if typed is not None else None,
        Step("engine", _engine(built, record)) if built is not None else None,
    ]
    return [step for step in steps if step]


def _exported(metrics: Metrics) -> tuple[str, ...]:
    nodes = f"{count(metrics.get('nodes'))}, opset {metrics.get('opset', NOTHING)}"
    return nodes, _layernorms(metrics), NOTHING, NOTHING, NOTHING, _size(metrics.get("bytes"))


def _simplified(metrics: Metrics) -> tuple[str, ...]:
    before, after = metrics.get("nodes_before"), metrics.get("nodes_after")
    kept = f"the {metrics['kept']} graph goes on" if metrics.get("kept") else ""
    moved = f"{count(after)} ({after - before:+,})" if isinstance(before, int) and isinstance(after, int) else NOTHING
    return f"{moved} {kept}".strip(), _layernorms(metrics), NOTHING, NOTHING, NOTHING, NOTHING


def _typed(metrics: Metrics, record: Mapping[str, Any]) -> tuple[str, ...]:
    size = (record.get("graph") or {}).get("size")
    quantised = metrics.get("quantized_nodes")
    nodes = f"{count(quantised)} quantised" if quantised else NOTHING
    kept = count(metrics.get("fp32_nodes"))
    return nodes, _layernorms(metrics), count(metrics.get("casts")), kept, _types(metrics.get("tensors")), _size(size)


def _engine(metrics: Metrics, record: Mapping[str, Any]) -> tuple[str, ...]:
    layers, types = f"{count(metrics.get('layers'))} layers", _types(record.get("layer_types"))
    return layers, NOTHING, NOTHING, NOTHING, types, megabytes(metrics.get("engine_mb"))


def _layernorms(metrics: Metrics) -> str:
    names = (("layernorm_ops", "native"), ("layernorm_decomposed", "decomposed"), ("layernorm_scaled", "scaled"))
    return ", ".join(f"{metrics[key]} {words}" for key, words in names if metrics.get(key)) or "none"


def _types(counts: Any) -> str:
    if not isinstance(counts, Mapping):
        return NOTHING
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{number:,} {name}" for name, number in ordered)


def _size(size: Any) -> str:
    return megabytes(size / 1e6 if isinstance(size, int) else None)
