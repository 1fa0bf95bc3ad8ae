"""results.json, which `dvc metrics diff` reads: every part's figures, the commit and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.history import RESULTS
from benchmarks.place import ROOT
from enginewright.artifacts import read_json, write_json
from enginewright.lineage.commits import head
from enginewright.probing import versions
from enginewright.report.table import hardware

PACKAGES = (
    "dvc",
    "hydra-core",
    "nvidia-modelopt",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "onnxsim",
    "polygraphy",
    "tensorrt-rtx-cu13",
    "torch",
)


def read() -> dict[str, Any]:
    """Return results.json, empty where there is none yet."""
    path = ROOT / RESULTS
    return read_json(path) if path.is_file() else {}


def keep(figures: Mapping[str, Mapping[str, Any]], rounds: int, path: Path = ROOT / RESULTS) -> dict[str, Any]:
    """Put the figures of parts beside those of parts that were not measured now; return the whole."""
    known = read_json(path) if path.is_file() else {}
    run = {"commit": head(ROOT)[0], "hardware": hardware(), "rounds": rounds}
    found = {**known, **{name: {**part, **run} for name, part in figures.items()}, "machine": machine()}
    write_json(path, found)
    return found


def machine() -> dict[str, Any]:
    """Return what the machine and its packages are; peers' versions are those of requirements/peers.txt."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version(), **_installed(), **_peers()},
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _installed() -> dict[str, str]:
    return {name: found or "not installed" for name, found in versions(PACKAGES).items()}


def _peers() -> dict[str, str]:
    lines = (ROOT / "requirements" / "peers.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return {name: found for name, _, found in pinned}
