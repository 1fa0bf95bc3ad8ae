"""The proof that a swap changed the form of LayerNorm and nothing else."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from enginewright.comparing.align import align
from enginewright.config.choices import Form
from enginewright.contract import Contract
from enginewright.errors import NetworkError
from enginewright.reference import Arrays


def check_layers(found: int, swapped: int, contract: Contract, form: Form) -> None:
    """Refuse a network whose LayerNorm layers are not those its contract counts, or were not all swapped.

    Raises:
        NetworkError: with both counts.
    """
    wanted = 0 if form is Form.native else contract.layernorms
    if found != contract.layernorms or swapped != wanted:
        raise NetworkError(
            f"the swap to {form.name} did not reach every LayerNorm",
            expected=f"{contract.layernorms} layers, {wanted} swapped",
            got=f"{found} layers, {swapped} swapped",
            cure=f"set model.layernorms: {found} in the network's conf file, or use nn.LayerNorm in the module",
        )


def check_state(original: nn.Module, swapped: nn.Module) -> None:
    """Load each module's state dict strictly into the other, and refuse any tensor that differs.

    Raises:
        NetworkError: naming the keys.
    """
    first, second = _copied(original), _copied(swapped)  # loading overwrites the tensors that state_dict returns
    try:
        swapped.load_state_dict(first, strict=True)
        original.load_state_dict(second, strict=True)
    except RuntimeError as error:
        raise NetworkError(f"the swap changed the state dict: {error}", expected="the same keys and shapes") from error
    changed = [key for key in first if not torch.equal(first[key], second[key])]
    if changed:
        raise NetworkError("the swap changed tensors of the state dict", expected="equal tensors", got=changed)


def _copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {key: tensor.clone() for key, tensor in module.state_dict().items()}


def largest_difference(original: Arrays, swapped: Arrays, contract: Contract, align_px: float) -> float:
    """Return the largest absolute difference of any value output over all samples.

    original, swapped: outputs (S, *shape in the graph). Keypoints are aligned first, and one without a counterpart
    counts as `align_px`, which it moved by at least; indices do not count, as their numbers measure nothing. NaN if
    any output is NaN.
    """
    differences = [0.0]
    for index in range(len(next(iter(original.values())))):
        rows = [{name: array[index] for name, array in side.items()} for side in (original, swapped)]
        both = align(rows[0], rows[1], contract, align_px)
        differences += [align_px] if both.missing else []
        for port in contract.outputs:
            first, second = both.expected[port.name], both.actual[port.name]
            if not port.is_index and first.size:
                differences.append(float(np.abs(first.astype(np.float64) - second).max()))
    return float(np.max(differences))  # unlike max(), it passes NaN on
