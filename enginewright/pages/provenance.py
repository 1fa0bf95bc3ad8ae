"""Where an engine comes from: what engine.json says of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enginewright.report.words import megabytes

_STATUS = {
    "proven": "proven: the engine was run on a GPU and agrees with the original",
    "graph_proven": "graph proven; the engine itself was not run",
    "unproven": "unproven",
}


def provenance_of(record: Mapping[str, Any], commit: str) -> list[tuple[str, str]]:
    """Return (what, words) of a record; empty if there is none. commit: of the run, empty if unknown."""
    return [(what, words) for what, words in _facts(record, commit) if words] if record else []


def _facts(record: Mapping[str, Any], commit: str) -> Iterator[tuple[str, str]]:
    status = str(record.get("status"))
    yield "status", _STATUS.get(status, status)
    yield "why", str(record.get("reason") or "")
    yield "runs on", _targets(record.get("targets") or {})
    yield "builder", ", ".join([str(record.get("builder")), *_pairs(record.get("versions"))])
    yield "options", ", ".join(_pairs({key: value for key, value in (record.get("options") or {}).items() if value}))
    yield "layers compute in", ", ".join(_pairs(record.get("layer_types")))
    yield "engine", _digest(record.get("engine"))
    yield "typed graph", _digest(record.get("graph"))
    yield "inputs", "; ".join(_port(port) for port in record.get("inputs") or ())
    yield "outputs", "; ".join(_port(port) for port in record.get("outputs") or ())
    yield "commit", commit


def _targets(targets: Mapping[str, Any]) -> str:
    found = [str(one) for one in targets.get("compute_capabilities") or ()]
    later = " and later" if targets.get("and_later") else ""
    return f"GPUs of compute capability {', '.join(found)}{later}" if found else ""


def _digest(entry: Mapping[str, Any] | None) -> str:
    if not entry:
        return ""
    size = entry.get("size")
    return f"{megabytes(size / 1e6 if isinstance(size, int) else None)}, SHA-256 {entry.get('sha256')}"


def _pairs(values: Any) -> list[str]:
    return [f"{key} {value}" for key, value in values.items()] if isinstance(values, Mapping) else []


def _port(port: Mapping[str, Any]) -> str:
    shape = " x ".join(str(size) for size in port.get("shape") or ())
    return f"{port.get('name')} {port.get('dtype')} ({shape})"
