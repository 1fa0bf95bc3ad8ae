"""Runs a torch module on samples, outputs named by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

import networks
from enginewright.config.models import ModelConfig
from enginewright.contract import Contract
from enginewright.errors import NetworkError
from enginewright.reference import Arrays
from enginewright.weights.store import load_checkpoint


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
        with torch.no_grad():
            found = module(*(torch.from_numpy(array) for array in sample))
        tensors = found if isinstance(found, tuple) else (found,)
        _check(tensors, contract)
        yield {port.name: tensor.numpy() for port, tensor in zip(contract.outputs, tensors, strict=True)}


def _check(tensors: tuple[torch.Tensor, ...], contract: Contract) -> None:
    wanted = [f"{port.dtype} {contract.shape(port)}" for port in contract.outputs]
    found = [f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}" for tensor in tensors]
    if wanted != found:
        raise NetworkError("the module breaks its contract's outputs", expected=wanted, got=found)
