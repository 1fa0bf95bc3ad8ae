"""The machine that builds an engine, without what names it or its user. Standard library only."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from enginewright.engine.gpu import find_gpu

_CPU_INFO = Path("/proc/cpuinfo")


def host_facts() -> dict[str, Any]:
    """Return system, architecture, CPU and GPU; `gpu` and `driver` are None without one."""
    gpu = find_gpu()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "gpu": gpu.name if gpu else None,
        "driver": gpu.driver if gpu else None,
    }


def _cpu() -> str:
    """Return the CPU's model, where the system tells it."""
    lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines() if _CPU_INFO.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or "unknown"
