"""What this machine has: versions of installed tools, and the GPU. Standard library only, well under 0.3 s."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from enginewright.adapter_packages import adapter_versions
from enginewright.engine.gpu import find_gpu

NETWORKS = Path(__file__).resolve().parents[1] / "networks"

_AUTOCAST = ("nvidia-modelopt", "onnx", "onnx-graphsurgeon", "onnxconverter-common", "onnxruntime")
_QUANTISATION = (*_AUTOCAST, "onnxslim")

TOOLS: dict[str, tuple[str, ...]] = {
    "torch": ("torch", "safetensors", "numpy"),
    "exporter_torchscript": ("torch", "onnx"),
    "exporter_dynamo": ("torch", "onnx", "onnxscript", "onnx-ir"),
    "simplifier_onnxsim": ("onnxsim", "onnx"),
    "simplifier_none": ("onnx",),
    "precision_fp32": ("onnx",),
    "precision_tf32": ("onnx",),
    "precision_fp16": _AUTOCAST,
    "precision_bf16": _AUTOCAST,
    "precision_int8": _QUANTISATION,
    "precision_fp8": _QUANTISATION,
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "polygraphy", "onnx", "numpy"),
    "builder_tensorrt_rtx": ("tensorrt-rtx-cu13", "polygraphy", "onnx"),
    "builder_tensorrt": ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "polygraphy", "onnx"),
    "scikit_image": ("scikit-image", "pillow", "numpy"),
    "plots": ("matplotlib", "jinja2", "pillow"),
}
"""For each probe file the packages whose versions it holds. A stage depends on the files of the tools it uses."""


def versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    """Return the installed version of each package, None where it is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def gpu_facts() -> dict[str, Any]:
    """Return the GPU, None where there is none, and whether this run demands one."""
    gpu = find_gpu()
    return {"gpu": asdict(gpu) if gpu else None, "require_gpu": os.environ.get("REQUIRE_GPU") == "1"}


def probe() -> Mapping[str, Mapping[str, Any]]:
    """Return the content of every probe file by its name."""
    tools = {tool: versions(packages) for tool, packages in TOOLS.items()}
    adapters = {f"adapter_{name}": found for name, found in adapter_versions(NETWORKS).items()}
    return {**tools, **adapters, "gpu": gpu_facts()}
