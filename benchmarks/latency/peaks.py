"""What this GPU gives at most, measured in the same run: products by type, copies, and kernels in a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

SIDE = 8192
_COPIED = 2 << 30
_KERNELS = 1000


def peaks() -> dict[str, float]:
    """Return TFLOP/s of large products by type, GB/s of a copy (read and write), and us of an empty-handed kernel."""
    found = {f"{name}_tflops": _product(kind, tf32) for name, kind, tf32 in _PRODUCTS}
    source = torch.empty(_COPIED, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    found["copy_gb_s"] = 2 * _COPIED / _seconds(lambda: target.copy_(source)) / 1e9
    found["kernel_us"] = _kernel()
    return found


_PRODUCTS = (
    ("float16", torch.float16, False),
    ("bfloat16", torch.bfloat16, False),
    ("tf32", torch.float32, True),
    ("float32", torch.float32, False),
)


def _product(kind: torch.dtype, tf32: bool) -> float:
    torch.backends.cuda.matmul.allow_tf32 = tf32
    left, right = (torch.randn(SIDE, SIDE, device="cuda").to(kind) for _ in range(2))
    return 2 * SIDE**3 / _seconds(lambda: left @ right) / 1e12


def _kernel() -> float:
    """Return the microseconds of each of a chain of kernels that do next to nothing, replayed as one CUDA graph."""
    value = torch.zeros(32, device="cuda")
    graph = torch.cuda.CUDAGraph()
    value.add_(1)
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        for _ in range(_KERNELS):
            value.add_(1)
    return _seconds(graph.replay) / _KERNELS * 1e6


def _seconds(work: Callable[[], object], calls: int = 8) -> float:
    """Return the mean seconds of a call, by the GPU's own clock."""
    for _ in range(3):
        work()
    event: Any = torch.cuda.Event  # it has no types
    first, last = (event(enable_timing=True) for _ in range(2))
    first.record()
    for _ in range(calls):
        work()
    last.record()
    torch.cuda.synchronize()
    return float(first.elapsed_time(last)) / calls / 1e3
