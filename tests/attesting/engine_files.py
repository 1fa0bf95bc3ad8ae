"""The files of one small engine as the stages leave them, for a network of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes, write_json
from enginewright.engine.record import Content, Record, write_record
from tests.engine.graphs import record

HOST = {"system": "Linux 6", "architecture": "x86_64", "cpu": "Example", "cpus": 2, "gpu": None, "driver": None}


def made_record(engine: bytes, graph: bytes) -> Record:
    """Return the record of these bytes."""
    values = vars(record()) | {"engine": Content.of(engine), "graph": Content.of(graph)}
    return Record(**values)


def metrics_of(name: str) -> dict[str, Any]:
    """Return the metrics of a stage, by the name of its file."""
    verdicts = {"preflight", "compare"}
    found: dict[str, Any] = {"figure": len(name)} | ({"verdict": "passed", "reason": ""} if name in verdicts else {})
    if name == "build":
        found |= {"verdict": "not_run", "reason": "no NVIDIA GPU with a driver", "host": HOST}
    if name == "match":
        found |= {"typed": {"verdict": "passed", "reason": ""}, "engine": {"verdict": "not_run", "reason": "no GPU"}}
    return found


def write_file(root: Path, path: str) -> None:
    """Write what stands in for one file of the pipeline, by its path; other bytes at each."""
    if path.startswith("metrics/"):
        write_json(root / path, metrics_of(Path(path).stem) | {"network": Path(path).parent.name})
    elif path.endswith("engine.json"):
        folder = Path(path).parent.as_posix()
        write_record(root / path, made_record(content(f"{folder}/engine.plan"), content(f"{folder}/typed.onnx")))
    elif path.startswith("probe/"):
        write_json(root / path, {Path(path).stem: "1.0", "absent": None})
    else:
        write_bytes(root / path, content(path))


def content(path: str) -> bytes:
    """Return the bytes of an artifact."""
    return path.encode() * 40
