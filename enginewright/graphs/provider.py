"""Which ONNX Runtime provider proves something about a graph."""

from __future__ import annotations

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def has_cuda() -> bool:
    """Return whether the installed ONNX Runtime can run graphs on a GPU."""
    import onnxruntime

    return CUDA in onnxruntime.get_available_providers()


def provider_for(reduced: str | None) -> str | None:
    """Return the provider that proves a graph of that reduced type (None: fp32), or None where none here does.

    On a CPU ONNX Runtime computes reduced types with fp32 kernels, which proves nothing.
    """
    if reduced is None:
        return CPU
    return CUDA if has_cuda() else None


def no_proof(reduced: str) -> str:
    """Return the reason of a `not_run` where `provider_for` has no provider."""
    return f"{reduced} on a CPU proves nothing: it needs a GPU and onnxruntime-gpu"
