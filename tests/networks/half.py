"""Arithmetic of half precision in which nothing is wider than it looks: every result rounded, sums too if asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_ATEN = torch.ops.aten
_SMALLEST = 2.0**-14
"""The smallest normal number of fp16."""


class Half(TorchDispatchMode):
    """Computes as a device without wider registers may: constants are fp16, and so is every partial sum.

    half_sums: whether sums are held in fp16 from term to term, in order; else in fp32, and rounded at the end. flushed:
    whether what is too small for a normal number becomes 0.
    """

    def __init__(self, *, half_sums: bool, flushed: bool) -> None:
        super().__init__()
        self.half_sums, self.flushed = half_sums, flushed

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        rounded = [self._kept(torch.tensor(arg).half()).item() if isinstance(arg, float) else arg for arg in args]
        given = {key: self._kept(torch.tensor(arg).half()).item() if isinstance(arg, float) else arg
                 for key, arg in (kwargs or {}).items()}  # fmt: skip
        if self.half_sums and func in _SUMS:
            return self._kept(_SUMS[func](rounded[0], rounded[1]))
        found = func(*rounded, **given)
        return self._kept(found) if isinstance(found, Tensor) else found

    def _kept(self, x: Tensor) -> Tensor:
        return torch.where(x.abs() < _SMALLEST, torch.zeros_like(x), x) if self.flushed else x


def _sum(x: Tensor, axes: list[int]) -> Tensor:
    """Return the sum over the last axes, kept in place, one term after the other."""
    flat = x.flatten(x.ndim - len(axes))
    total = torch.zeros_like(flat[..., 0])
    for index in range(flat.shape[-1]):
        total = total + flat[..., index]
    return total.reshape(*x.shape[: x.ndim - len(axes)], *([1] * len(axes)))


def _mean(x: Tensor, axes: list[int]) -> Tensor:
    return _sum(x, axes) / x[(0,) * (x.ndim - len(axes))].numel()


_SUMS: dict[Any, Callable[[Tensor, list[int]], Tensor]] = {_ATEN.sum.dim_IntList: _sum, _ATEN.mean.dim: _mean}
