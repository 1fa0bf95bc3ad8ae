"""How often a module's LayerNorm layers run: a layer that a network shares among its blocks is one, and runs often."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from enginewright.adapter_code import run_forward


def layernorm_calls(module: nn.Module, inputs: Sequence[torch.Tensor]) -> int:
    """Return how many times native LayerNorm layers run in one forward pass on `inputs`; 0 without a pass if none is.

    This many LayerNormalization operators are in a graph that keeps the native form.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.LayerNorm)]
    if not layers:
        return 0
    calls: list[str] = []
    hooks = [layer.register_forward_hook(lambda layer, *_: calls.append(type(layer).__name__)) for layer in layers]
    try:
        run_forward(module, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return len(calls)
