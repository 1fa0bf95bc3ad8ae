"""The kernels of a contestant's call, as the GPU's own profiler saw them, inside CUDA graphs too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_CALLS = 5
_NAME = 120


def kernels(call: Callable[[], object]) -> dict[str, Any]:
    """Return the kernels of one call in their order (name, start and length in us), by torch's profiler."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    for _ in range(3):
        call()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for _ in range(_CALLS):
            call()
        torch.cuda.synchronize()
    events = [event for event in profiler.events() if str(event.device_type).endswith("CUDA")]
    spans = sorted((event.time_range.start, event.time_range.elapsed_us(), event.name) for event in events)
    return ordered(spans, _CALLS)


def ordered(spans: list[tuple[float, float, str]], calls: int) -> dict[str, Any]:
    """Return the kernels of the last of equal calls, and the mean busy time of a call in us."""
    each = len(spans) // calls
    last = spans[-each:] if each else []
    zero = last[0][0] if last else 0.0
    return {
        "calls": calls,
        "even": each * calls == len(spans),
        "busy_us": sum(length for _, length, _ in spans) / calls,
        "span_us": last[-1][0] + last[-1][1] - zero if last else 0.0,
        "kernels": [[name[:_NAME], round(start - zero, 2), round(length, 2)] for start, length, name in last],
    }
