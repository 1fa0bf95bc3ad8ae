"""Runs a torch module on samples, outputs named by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

import networks
from enginewright.adapter_code import run_forward
from enginewright.config.models import ModelConfig
from enginewright.contract import Contract
from enginewright.errors import NetworkError
from enginewright.reference import Arrays
from enginewright.weights.store import load_checkpoint

_NO_TENSORS = "return a tuple of tensors in the contract's order: no list, dict or output object of a library"
_CURE = "mend forward, or the contract's outputs: their number, order, axes, sizes and dtype"


def loaded(model: ModelConfig, checkpoint: Path) -> nn.Module:
    """Return a network's module with its stored weights, ready to run."""
    module: nn.Module = networks.load(model.adapter).module(model).eval()
    load_checkpoint(checkpoint, module)
    return module


def run_module(module: nn.Module, inputs: Arrays, contract: Contract) -> Arrays:
    """Return the module's outputs on S samples: inputs and outputs are (S, *shape in the graph).

    Raises:
        NetworkError: if the module returns another number of outputs, or another shape or type, than its contract says.
    """
    rows = list(_outputs(module, inputs, contract))
    return {port.name: np.stack([row[port.name] for row in rows]) for port in contract.outputs}


def _outputs(module: nn.Module, inputs: Arrays, contract: Contract) -> Iterator[Arrays]:
    ordered = [inputs[port.name] for port in contract.inputs]
    for sample in zip(*ordered, strict=True):
        found = run_forward(module, map(torch.from_numpy, sample))
        tensors = found if isinstance(found, tuple) else (found,)
        _check(tensors, contract)
        yield {port.name: tensor.detach().numpy() for port, tensor in zip(contract.outputs, tensors, strict=True)}


def _check(found: tuple[object, ...], contract: Contract) -> None:
    wanted = [f"{port.dtype} {contract.shape(port)}" for port in contract.outputs]
    kinds = [_kind(item) for item in found]
    if wanted != kinds:
        raise NetworkError(
            "the module breaks its contract's outputs",
            expected=wanted,
            got=kinds,
            cure=_CURE if all(isinstance(item, torch.Tensor) for item in found) else _NO_TENSORS,
        )


def _kind(item: object) -> str:
    """Return type and shape of a tensor, or the class of what is none."""
    if not isinstance(item, torch.Tensor):
        return type(item).__name__
    return f"{str(item.dtype).removeprefix('torch.')} {tuple(item.shape)}"
