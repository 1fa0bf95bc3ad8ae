"""Metrics of two networks as the stages write them, for tests of what is made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json

NOT_RUN = "float16 on a CPU proves nothing: it needs a GPU and onnxruntime-gpu"
NO_GPU = "engine.plan cannot run on this machine: no NVIDIA GPU with a driver"


def _errors(largest: float) -> dict[str, float]:
    return {"max_abs": largest, "mean_abs": largest / 10, "p99_abs": largest / 2, "cosine": 0.99999999}


def _matched(common: int) -> dict[str, Any]:
    return {
        "matches": common,
        "common": common,
        "common_ratio": common / 1351,
        "confidence": {"min": 0.1, "mean": 0.81, "max": 0.99},
        "descriptor_cosine_min": 0.9999999,
        "keypoint_px_max": 3.1e-05,
        "keypoints_missing": 0,
        "precision_1px": 0.5,
        "precision_3px": 0.91,
        "precision_5px": 1.0,
        "verdict": "passed",
        "reason": "",
    }


def _common(compare: dict[str, Any], precision: str) -> dict[str, dict[str, Any]]:
    return {
        "swap": {"layers_swapped": 18, "max_abs_diff": 1.5e-06},
        "export": {"opset": 20, "nodes": 770, "bytes": 46_300_000, "layernorm_ops": 18, "seconds": 13.2},
        "simplify": {"nodes_before": 770, "nodes_after": 798, "kept": "exported"},
        "cast": {"precision": precision, "casts": 0, "fp32_nodes": 0},
        "compare": compare,
        "build": {
            "verdict": "not_run",
            "reason": "the engine was not executed: no NVIDIA GPU with a driver",
            "engine_mb": 48.25,
            "layers": 1835,
            "seconds": 4.6,
            "peak_mb": 612.4,
        },
    }


def metrics() -> dict[str, dict[str, dict[str, Any]]]:
    """Return {network: {stage: metrics}}: one extractor in fp32, one matcher in fp16."""
    outputs = {"keypoints": _errors(4e-05), "descriptors": _errors(2e-06)}
    passed = {
        "exported": outputs,
        "simplified": outputs,
        "typed": outputs,
        "verdicts": {"exported": "passed", "simplified": "passed", "typed": "passed"},
        "verdict": "passed",
        "reason": "",
    }
    half = {
        "exported": {"scores": _errors(7e-06)},
        "verdicts": {"exported": "passed", "typed": "not_run"},
        "verdict": "not_run",
        "reason": f"typed: {NOT_RUN}",
    }
    match = {
        "original": {"matches": 1351, "confidence": {"min": 0.1, "mean": 0.81, "max": 0.99}, "precision_3px": 0.91},
        "exported": _matched(1351),
        "simplified": _matched(1350),
        "typed": {"verdict": "not_run", "reason": NOT_RUN},
        "engine": {"verdict": "not_run", "reason": NO_GPU},
        "verdict": "not_run",
        "reason": f"typed: {NOT_RUN}; engine: {NO_GPU}",
    }
    return {"disk": _common(passed, "fp32"), "disk_lightglue": {**_common(half, "fp16"), "match": match}}


def written(folder: Path, values: dict[str, dict[str, dict[str, Any]]]) -> Path:
    """Write `values` below `folder` as the stages do, and return the folder."""
    for network, stages in values.items():
        for stage, entry in stages.items():
            write_json(folder / network / f"{stage}.json", entry)
    return folder
