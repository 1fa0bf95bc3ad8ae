"""How often a module's LayerNorm layers run: a layer that a network shares among its blocks is one, and runs often."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from enginewright.adapter_code import run_forward


def layernorm_calls(module: nn.Module, inputs: Sequence[torch.Tensor]) -> int:
    """Return how many times native LayerNorm layers run in one forward pass on `inputs`; 0 without a pass if none is.

    The pass computes shapes only, on a copy (torch's meta device), unless values decide what the module does.
    This many LayerNormalization operators are in a graph that keeps the native form.
    """
    if not _layers(module):
        return 0
    try:
        shapes = copy.deepcopy(module).to("meta")
        return _counted(shapes, lambda: shapes(*(tensor.to("meta") for tensor in inputs)))
    except Exception:  # a forward pass that looks at values; whatever else is wrong, real ones show it too
        return _counted(module, lambda: run_forward(module, inputs))


def _layers(module: nn.Module) -> list[nn.LayerNorm]:
    return [layer for layer in module.modules() if isinstance(layer, nn.LayerNorm)]


def _counted(module: nn.Module, forward: Callable[[], object]) -> int:
    with counted(_layers(module)) as calls, torch.no_grad():
        forward()
    return len(calls)


@contextmanager
def counted(layers: Iterable[nn.Module]) -> Iterator[list[nn.Module]]:
    """Give a list to which each call of a layer within the block adds that layer; one given twice counts once."""
    calls: list[nn.Module] = []
    hooks = [layer.register_forward_hook(lambda layer, *_: calls.append(layer)) for layer in dict.fromkeys(layers)]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()
