"""Arithmetic of half precision in which nothing is wider than it looks: every result is rounded, and sums if asked."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from networks.layernorm import SMALLEST

_ATEN = torch.ops.aten


class Sums(Enum):
    """How the terms of a sum are added up: in fp32 and rounded once, or in fp16, by halves or one after the other."""

    single = auto()
    halves = auto()
    in_order = auto()


class Half(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Computes as a device without wider registers may; `flushed`: what is too small for a normal number becomes 0."""

    def __init__(self, sums: Sums = Sums.single, *, flushed: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sums, self.flushed = sums, flushed

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        rounded = [self._constant(arg) for arg in args]
        if self.sums is not Sums.single and func in _REDUCTIONS:
            return self._kept(_REDUCTIONS[func](rounded[0], rounded[1], _ADDED[self.sums]))
        found = func(*rounded, **{key: self._constant(arg) for key, arg in (kwargs or {}).items()})
        return self._kept(found) if isinstance(found, Tensor) else found

    def _constant(self, arg: Any) -> Any:
        """Return a number as a graph of fp16 stores it."""
        return self._kept(torch.tensor(arg, dtype=torch.half)).item() if isinstance(arg, float) else arg

    def _kept(self, x: Tensor) -> Tensor:
        return torch.where(x.abs() < SMALLEST, torch.zeros_like(x), x) if self.flushed else x


Added = Callable[[Tensor], Tensor]


def _in_order(rows: Tensor) -> Tensor:
    total = torch.zeros_like(rows[..., 0])
    for index in range(rows.shape[-1]):
        total = total + rows[..., index]
    return total


def _halves(rows: Tensor) -> Tensor:
    while (count := rows.shape[-1]) > 1:
        pairs = rows[..., : count // 2] + rows[..., count // 2 : count // 2 * 2]
        rows = torch.cat([pairs, rows[..., count // 2 * 2 :]], -1)
    return rows[..., 0]


def _sum(x: Tensor, axes: list[int], added: Added) -> Tensor:
    lead = x.shape[: x.ndim - len(axes)]
    return added(x.reshape(*lead, -1)).reshape(*lead, *([1] * len(axes)))


def _mean(x: Tensor, axes: list[int], added: Added) -> Tensor:
    return _sum(x, axes, added) / x[(0,) * (x.ndim - len(axes))].numel()


_ADDED: dict[Sums, Added] = {Sums.halves: _halves, Sums.in_order: _in_order}
_REDUCTIONS: dict[Any, Callable[[Tensor, list[int], Added], Tensor]] = {
    _ATEN.sum.dim_IntList: _sum,
    _ATEN.mean.dim: _mean,
}
